"""The participants' page shows the information in the reader's language, and the consent names it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import pytest
import requests

from tests.helpers.room_client import TIMEOUT_S, TOKEN, api
from tests.helpers.serving import Server

TEXTS = {"en": "What **happens** here.", "de": "Was hier **passiert**.", "zh_Hans": "这里会**发生**什么。"}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN) as running:
        yield running


def room_with(server: Server, *languages: str) -> str:
    """The address of a room whose information is in English and in these languages."""
    body = {
        "name": "Study",
        "information": TEXTS["en"],
        "information_translations": {language: TEXTS[language] for language in languages},
        "settings": {"language": "en"},
    }
    answer = api(server, "POST", "/rooms", body)
    assert answer.status_code == 201, answer.text
    return f"{server.url}/r/{answer.json()['code']}"


def page(address: str, accepted: str) -> str:
    return requests.get(address, headers={"Accept-Language": accepted}, timeout=TIMEOUT_S).text


def shown(page: str) -> list[str]:
    """The languages of the texts that are not hidden."""
    tags = re.findall(r'<div class="information" [^>]*>', page)
    return [re.findall(r'data-language="(\w*)"', tag)[0] for tag in tags if " hidden" not in tag]


@pytest.mark.parametrize(
    ("accepted", "language"), [("de-AT", "de"), ("zh-CN", "zh_Hans"), ("fr", "en"), ("en", "en"), ("", "en")]
)
def test_the_text_in_the_readers_language_is_shown_else_the_rooms_own(
    server: Server, accepted: str, language: str
) -> None:
    text = page(room_with(server, "de", "zh_Hans"), accepted)
    assert shown(text) == [language]
    menu = re.findall(r'<option value="(\w+)"[^>]*?( selected)?>([^<]+)<', text)
    assert [code for code, selected, _ in menu if selected] == [language]
    assert [html.unescape(name) for *_, name in menu] == ["English", "Deutsch", "简体中文"]


def test_each_text_names_its_language_as_html_does(server: Server) -> None:
    text = page(room_with(server, "zh_Hans"), "en")
    tags = re.findall(r'<(?:option value|div class="information" data-language)="(\w+)" lang="([^"]+)"', text)
    assert tags == 2 * [("en", "en"), ("zh_Hans", "zh-Hans")]


def test_a_room_with_one_text_has_no_menu(server: Server) -> None:
    text = page(room_with(server), "de")
    assert shown(text) == ["en"]
    assert "information-language" not in text


def test_the_information_is_rendered_and_nothing_of_it_runs(server: Server) -> None:
    body = {"name": "R", "information": "**Bold** <script>alert(1)</script>", "settings": {}}
    code = api(server, "POST", "/rooms", body).json()["code"]
    text = page(f"{server.url}/r/{code}", "en")
    assert "<strong>Bold</strong>" in text
    assert "<script>alert" not in text
