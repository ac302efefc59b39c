"""Which language a page comes in, how another is chosen, and what scripts get of it."""

from __future__ import annotations

import html
import re

import pytest
from flask import Flask, render_template
from flask.testing import FlaskClient
from werkzeug.routing import MapAdapter

from webapp.app import create_app
from webapp.config import Settings
from webapp.errors import BadRequestError, StoreError
from webapp.rooms.settings import RoomSettings
from webapp.store.text_checks import check_text
from webapp.web.catalogues import LANGUAGES
from webapp.web.languages import negotiate
from webapp.web.pages.host.room_form import RoomForm
from webapp.web.pages.view_models import RoomListItem
from webapp.web.problems import page_text

TOKEN = "a-long-token-for-tests"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """An application with nothing started."""
    return create_app(Settings(data_dir=tmp_path_factory.mktemp("data"), host_token=TOKEN))


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def page_in(client: FlaskClient, accepted: str, path: str = "/") -> str:
    return client.get(path, headers={"Accept-Language": accepted}).text


def language_of(page: str) -> tuple[str, str]:
    """`lang` and `dir` of a page."""
    found = re.search(r'<html lang="([^"]+)" dir="([^"]+)">', page)
    assert found, page[:200]
    return found[1], found[2]


@pytest.mark.parametrize(
    ("header", "tag"),
    [
        ("", "en"),
        ("*", "en"),
        ("nl", "en"),
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("nl,fr-CA;q=0.7,de;q=0.6", "fr"),
        ("en;q=0.5,pt-BR;q=0.9", "pt"),
        ("de;q=0,it", "it"),
        ("zh", "zh-Hans"),
        ("zh-CN", "zh-Hans"),
        ("zh-SG", "zh-Hans"),
        ("zh-Hans-HK", "zh-Hans"),
        ("zh-TW,ja;q=0.5", "ja"),
        ("zh-Hant", "en"),
        ("AR-eg", "ar"),
        ("not a language;;q=x", "en"),
    ],
)
def test_the_browser_decides_the_language(client: FlaskClient, header: str, tag: str) -> None:
    assert language_of(page_in(client, header))[0] == tag


def test_tags_are_tried_in_their_order_and_those_refused_are_left_out() -> None:
    assert negotiate([("nl", 1), ("ko-KR", 0.9), ("de", 0.8)]) == "ko"
    assert negotiate([("ko", 0), ("de", 0.1)]) == "de"
    assert negotiate([]) == "en"


@pytest.mark.parametrize("language", LANGUAGES)
def test_arabic_is_written_from_right_to_left_and_no_other(client: FlaskClient, language: str) -> None:
    tag = language.replace("_", "-")
    assert language_of(page_in(client, tag)) == (tag, "rtl" if language == "ar" else "ltr")


def test_the_menu_overrides_the_browser_until_another_choice(client: FlaskClient) -> None:
    answer = client.get("/language?language=ja&next=/r")
    assert (answer.status_code, answer.location) == (302, "/r")
    cookie = answer.headers["Set-Cookie"]
    assert "SameSite=Lax" in cookie and "HttpOnly" in cookie and "Secure" not in cookie
    assert language_of(page_in(client, "de"))[0] == "ja"
    client.get("/language?language=en&next=/")
    assert language_of(page_in(client, "de"))[0] == "en"


def test_over_https_the_choice_is_sent_over_https_only(client: FlaskClient) -> None:
    answer = client.get("/language?language=ja", base_url="https://localhost")
    assert "Secure" in answer.headers["Set-Cookie"]


@pytest.mark.parametrize(
    "target",
    [
        "",
        "r/CODE",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example/",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/\n/evil.example",
        " //evil.example",
    ],
)
def test_choosing_a_language_leads_to_no_other_server(client: FlaskClient, target: str) -> None:
    answer = client.get("/language", query_string={"language": "de", "next": target})
    assert answer.location == "/"


@pytest.mark.parametrize("language", ["", "nl", "../de", "zh-Hans"])
def test_a_language_that_is_not_there_is_not_found(client: FlaskClient, language: str) -> None:
    answer = client.get("/language", query_string={"language": language})
    assert answer.status_code == 404
    assert "Set-Cookie" not in answer.headers


def test_a_cookie_with_a_language_that_is_not_there_is_ignored(client: FlaskClient) -> None:
    client.set_cookie("language", "nl")
    assert language_of(page_in(client, "fr"))[0] == "fr"


def test_the_menu_is_on_every_page_and_marks_the_language_shown(client: FlaskClient) -> None:
    for path in ("/", "/r", "/host"):
        page = page_in(client, "pl", path)
        assert f'name="next" value="{path}"' in page
        assert set(re.findall(r'name="language" value="(\w+)"', page)) == set(LANGUAGES)
        assert re.search(r'value="pl" lang="pl" aria-current="true"', page)


def test_a_long_address_is_looked_up_a_few_times_only(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    tested: list[str] = []

    def counted(self: MapAdapter, path_info: str | None = None, method: str | None = None) -> bool:
        tested.append(path_info or "")
        return False

    monkeypatch.setattr(MapAdapter, "test", counted)
    assert 'name="next" value="/"' in page_in(client, "de", "/a" * 4000)
    assert len(tested) < 10


def test_choosing_on_an_answer_to_a_form_leads_to_the_page_above_it(client: FlaskClient) -> None:
    page = client.post("/host/account/password").text
    assert 'name="next" value="/host/account"' in page


@pytest.mark.parametrize(
    ("address", "returned"),
    [
        ("/r?pid=P01&x=1&x=2", "/r?pid=P01&x=1&x=2"),
        ("/r?pid=%22%3E%3Cb%3E%20%26", "/r?pid=%22%3E%3Cb%3E+%26"),
        ("/host?q=film&token=secret", "/host?q=film"),
        ("/r?lang=fr", "/r"),
        ("/r?token=P01&lang=P02", "/r?token=P01&lang=P02"),
        ("/nothing/here?pid=P01", "/"),
    ],
)
def test_choosing_leads_to_the_same_address_without_its_secrets(
    client: FlaskClient, address: str, returned: str
) -> None:
    (found,) = re.findall(r'name="next" value="([^"]*)"', page_in(client, "pl", address))
    assert html.unescape(found) == returned
    answer = client.get("/language", query_string={"language": "de", "next": html.unescape(found)})
    assert answer.location == returned


@pytest.mark.parametrize("path", ["/", "/r"])
@pytest.mark.parametrize(("asked", "tag"), [("de", "de"), ("zh-CN", "zh-Hans"), ("zh_Hans", "zh-Hans")])
def test_an_address_can_ask_for_its_language_whatever_was_chosen(
    client: FlaskClient, path: str, asked: str, tag: str
) -> None:
    client.set_cookie("language", "fr")
    answer = client.get(f"{path}?lang={asked}", headers={"Accept-Language": "it"})
    assert language_of(answer.text)[0] == tag
    assert "Set-Cookie" not in answer.headers
    assert language_of(page_in(client, "it", path))[0] == "fr", "the choice stays as it was"


@pytest.mark.parametrize("asked", ["", "nl", "../de", "%00"])
def test_an_address_that_asks_for_no_language_of_ours_changes_nothing(
    client: FlaskClient, asked: str
) -> None:
    page = page_in(client, "it", f"/r?lang={asked}")
    assert language_of(page)[0] == "it"
    assert 'href="/"' in page and 'name="lang"' not in page


def test_links_and_forms_go_on_in_the_language_that_the_address_asks_for(client: FlaskClient) -> None:
    page = client.get("/r?lang=ja").text
    assert 'href="/?lang=ja"' in page
    assert '<input type="hidden" name="lang" value="ja">' in page
    assert client.get("/r?code=abcd-2345&lang=ja").location == "/r/ABCD2345?lang=ja"
    texts = texts_url(client.get("/?lang=ja").text)
    assert texts is not None and texts.startswith("/texts/ja."), "scripts speak it, too"


def test_the_list_of_rooms_writes_numbers_as_its_language_does(app: Flask) -> None:
    room = RoomListItem("ABCD2345", "Study", 2, 1234567, "open", "https://mien.example/r/ABCD2345", 0.0, None)
    given = {"rooms": [room], "total": 1, "searched": "", "sort": "created", "concerns": []}
    with app.test_request_context(headers={"Accept-Language": "de"}):
        assert "1.234.567" in render_template("dashboard/rooms.html", **given)
    with app.test_request_context(headers={"Accept-Language": "en"}):
        assert "1,234,567" in render_template("dashboard/rooms.html", **given)


def test_the_labels_that_a_form_begins_with_are_those_that_the_api_has(app: Flask) -> None:
    with app.test_request_context():
        assert RoomForm.empty("en").marker_labels.splitlines() == list(RoomSettings().marker_labels)


def test_pages_tell_caches_that_they_depend_on_the_language(client: FlaskClient) -> None:
    assert {"Accept-Language", "Cookie"} <= set(client.get("/").vary)
    with client.get("/static/css/base.css") as style:
        assert "Accept-Language" not in style.vary
    assert "Accept-Language" not in client.get("/healthz").vary


def test_problems_of_the_api_stay_english(client: FlaskClient) -> None:
    answer = client.get("/api/v1/rooms", headers={"Accept-Language": "de"})
    assert answer.get_json()["problem"]["message"].startswith("Sign in as a host")


def texts_url(page: str) -> str | None:
    found = re.search(r'<script type="module" src="(/texts/[^"]+)"></script>', page)
    return found[1] if found else None


def test_scripts_get_their_texts_before_they_run_and_english_needs_none(client: FlaskClient) -> None:
    assert texts_url(page_in(client, "en")) is None
    page = page_in(client, "de")
    url = texts_url(page)
    assert url is not None
    assert page.index(url) < page.index("js/pages/live.js")


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_the_texts_of_scripts_are_a_module_that_browsers_keep(client: FlaskClient, language: str) -> None:
    url = texts_url(page_in(client, language.replace("_", "-")))
    assert url is not None
    answer = client.get(url)
    assert answer.mimetype == "text/javascript"
    assert answer.cache_control.immutable and answer.cache_control.public
    assert '"Happy":' in answer.text and '"Language":' not in answer.text


def test_texts_under_another_digest_are_sent_but_not_kept(client: FlaskClient) -> None:
    answer = client.get("/texts/de.000000000000.js")
    assert answer.status_code == 200
    assert answer.cache_control.no_cache and not answer.cache_control.immutable


@pytest.mark.parametrize("name", ["en.0", "nl.0", "..%2f..%2fde.0"])
def test_there_are_no_texts_of_other_languages(client: FlaskClient, name: str) -> None:
    assert client.get(f"/texts/{name}.js").status_code == 404


def test_an_error_is_english_for_programs_and_has_its_values_on_pages(app: Flask) -> None:
    error = BadRequestError("%(count)s letters, all of them %(kind)s", count=3, kind="<b>")
    assert str(error) == "3 letters, all of them <b>"
    with app.test_request_context(headers={"Accept-Language": "de"}):
        assert page_text(error) == str(error)
        assert page_text(StoreError("secret detail")) != "secret detail"


def test_a_page_names_fields_as_its_forms_do_and_writes_numbers_as_its_language_does(app: Flask) -> None:
    with pytest.raises(BadRequestError) as refused:
        check_text("information", "", 20_000)
    error = refused.value
    assert str(error) == "information must be a text of 1 to 20,000 characters."
    with app.test_request_context(headers={"Accept-Language": "de"}):
        assert "20.000" in page_text(error)
    with app.test_request_context(headers={"Accept-Language": "en"}):
        assert page_text(error) == "Information for participants must be a text of 1 to 20,000 characters."


def test_an_error_without_values_may_have_any_text(app: Flask) -> None:
    with app.test_request_context():
        assert page_text(BadRequestError("100% of it")) == "100% of it"
