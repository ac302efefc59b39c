"""What hosts' pages show and take: lists, drafts, keys, and what is wrong with what was entered."""

from __future__ import annotations

import html
import re
import zlib
from base64 import urlsafe_b64decode
from collections.abc import Iterator

import pytest

from tests.helpers.host_browser import PASSWORD, signed_in
from tests.helpers.room_client import TOKEN, api
from tests.helpers.serving import Server
from webapp.rooms.information import VIDEO_NOTICES
from webapp.web.pages.host.room_form import RoomForm


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN) as running:
        yield running


def read_by_anybody(cookie: str) -> bytes:
    """What a session's cookie says to whoever sees it, without the server's key."""
    payload = cookie.lstrip(".").partition(".")[0]
    decoded = urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    return zlib.decompress(decoded) if cookie.startswith(".") else decoded


def test_what_was_written_in_a_form_comes_back_with_what_is_wrong_with_it(server: Server) -> None:
    browser = signed_in(server)
    browser.open("/host/rooms/new")
    answer = browser.open("/host/rooms", name="Pilot <1>", information="Read this. " * 2000, video="on")
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert 'value="Pilot &lt;1&gt;"' in answer.text
    assert "Read this. Read this." in answer.text
    assert 'name="video" checked' in answer.text
    assert 'name="show_results">' in answer.text, "it was not ticked"
    browser.open("/host/account")
    answer = browser.open("/host/account/password", old="wrong", password=PASSWORD)
    assert answer.status_code == 400
    assert "The current password is wrong." in answer.text
    browser.open("/host/account")
    answer = browser.open("/host/account/hosts", name="Bob", password="short")
    assert answer.status_code == 400
    assert 'value="Bob"' in answer.text


def test_a_new_key_is_shown_once_and_a_reload_makes_no_other(server: Server) -> None:
    browser = signed_in(server, "Katherine")
    browser.open("/host/account")
    answer = browser.open("/host/account/keys", name="PsychoPy", scope="rooms:read")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/host/account")
    kept = read_by_anybody(browser.cookies["session"])
    page = browser.open("/host/account").text
    (secret,) = re.findall(r"mien_[\w-]{30,}", page)
    assert b"new_key" in kept and secret.encode() not in kept
    assert api(server, "GET", "/rooms", token=secret).status_code == 200
    again = browser.open("/host/account").text
    assert secret not in again
    (key,) = set(re.findall(r"keys/(\d+)/deletion", again))
    assert "Delete the key “PsychoPy”?" in browser.open(f"/host/account/keys/{key}/deletion").text
    assert api(server, "GET", "/rooms", token=secret).status_code == 200, "it was only asked"
    assert browser.open(f"/host/account/keys/{key}/deletion", x="").status_code == 302
    assert api(server, "GET", "/rooms", token=secret).status_code == 401


def test_rooms_are_searched_and_sorted(server: Server) -> None:
    browser = signed_in(server)
    codes = {}
    for name in ("Zebra study", "apple study", "Mango <1>"):
        codes[name] = api(server, "POST", "/rooms", {"name": name, "information": "x"}).json()["code"]
    for state in ("started", "stopped"):
        api(server, "POST", f"/rooms/{codes['apple study']}/recording", {"state": state})

    def shown(query: str) -> list[str]:
        return re.findall(r'class="room-name"[^>]*>([^<]+)<', browser.open(f"/host?{query}").text)

    assert shown("")[:3] == ["Mango &lt;1&gt;", "apple study", "Zebra study"]
    assert shown("q=STUDY&sort=name") == ["apple study", "Zebra study"]
    assert shown("q=study&sort=recorded")[0] == "apple study"
    code = codes["Mango <1>"]
    assert shown(f"q={code[:4].lower()}-{code[4:]}") == ["Mango &lt;1&gt;"]
    assert shown(f"q={code[:-1]}") == [], "a part of a code is none"
    page = browser.open("/host?q=%22%3E%3Cscript%3E").text
    assert "<script>" not in page and "Show all rooms" in page


def test_a_room_is_drafted_with_a_preview_and_made_with_a_text_in_each_language(server: Server) -> None:
    browser = signed_in(server)
    page = browser.open("/host/rooms/new").text
    assert "[purpose of the study]" in page
    texts = {"information": "Read **this** <b>and</b> [task].", "language": "en"}
    page = browser.open("/host/rooms/new", action="preview", name="R", **texts).text
    assert "Read <strong>this</strong> &lt;b&gt;and&lt;/b&gt; [task]." in page
    assert "Still to replace: [task]" in page
    page = browser.open("/host/rooms/new", action="add-language", add_language="de", name="R", **texts).text
    assert 'name="translation-de"' in page
    refused = browser.open("/host/rooms", name="R", **texts)
    assert refused.status_code == 400
    assert "placeholder [task]" in refused.text
    texts["information"] = "Read this."
    made = browser.open(
        "/host/rooms", name="R", **{**texts, "translation-de": "Lies das.", "translation-fr": " "}
    )
    assert made.status_code == 302
    room = api(server, "GET", f"/rooms/{made.headers['Location'].rpartition('/')[2]}").json()
    assert room["information_translations"] == {"de": "Lies das."}
    assert room["settings"]["language"] == "en"


def test_a_text_too_long_for_a_room_is_not_previewed(server: Server) -> None:
    browser = signed_in(server)
    browser.open("/host/rooms/new")
    answer = browser.open("/host/rooms/new", action="preview", name="R", information="*a" * 10_001)
    assert answer.status_code == 400
    assert "must be a text of 0 to 20,000 characters" in answer.text
    assert 'id="preview-title"' not in answer.text


def test_the_form_has_no_translation_into_the_language_of_the_text_itself() -> None:
    sent = {"information": "Lies das.", "language": "de", "translation-de": "Lies!", "translation-fr": "Lis."}
    assert RoomForm.sent(sent).translations == {"fr": "Lis."}


def test_the_form_promises_the_notice_that_a_room_without_a_language_gets(server: Server) -> None:
    browser = signed_in(server)
    browser.headers["Accept-Language"] = "de"
    browser.open("/host/rooms/new")
    page = browser.open("/host/rooms/new", action="preview", name="R", information="Text", language="").text
    assert VIDEO_NOTICES["en"] in html.unescape(page)
    assert VIDEO_NOTICES["de"] not in html.unescape(page)
