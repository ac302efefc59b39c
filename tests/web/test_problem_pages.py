"""What people see where something is wrong: pages and forms that say why, and a way on."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, abort

from tests.helpers.host_browser import PASSWORD, Browser, signed_in
from tests.helpers.room_client import TIMEOUT_S, TOKEN
from tests.helpers.serving import Server
from webapp.app import create_app
from webapp.config import Settings

AS_BROWSER = {"Accept": "text/html,application/xhtml+xml"}


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    """An application with nothing started."""
    return create_app(Settings(data_dir=tmp_path, host_token=TOKEN))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN) as running:
        yield running


@pytest.fixture(scope="module")
def host(server: Server) -> Browser:
    return signed_in(server)


def field(page: str, name: str) -> str:
    """The tag of a form's field."""
    (tag,) = re.findall(rf'<(?:input|textarea) [^>]*\bname="{name}"[^>]*>', page)
    return html.unescape(tag)


def explanation(page: str, tag: str) -> str:
    """The text that a marked field is described by."""
    assert 'aria-invalid="true"' in tag
    (described_by,) = re.findall(r'aria-describedby="([\w-]+)"', tag)
    (text,) = re.findall(rf'id="{described_by}"[^>]*>([^<]+)<', page)
    return html.unescape(text)


@pytest.mark.parametrize("status", [400, 403, 404, 405, 413, 429, 500, 503])
def test_every_error_is_a_page_of_ours_with_a_link_onward(app: Flask, status: int) -> None:
    app.view_functions["live.index"] = lambda: abort(status)
    answer = app.test_client().get("/", headers=AS_BROWSER)
    assert (answer.status_code, answer.mimetype) == (status, "text/html")
    assert f"Error {status}" in answer.text
    assert 'href="/"' in answer.text and 'href="/r"' in answer.text
    assert "Content-Security-Policy" in answer.headers


def test_an_unknown_address_says_so(app: Flask) -> None:
    answer = app.test_client().get("/nothing-here", headers=AS_BROWSER)
    assert answer.status_code == 404
    assert "There is no such page" in answer.text


def test_a_wrong_method_still_says_which_ones_there_are(app: Flask) -> None:
    answer = app.test_client().get("/host/login", headers=AS_BROWSER)
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
    assert "Error 405" in answer.text


def test_a_view_that_fails_is_a_page_without_its_cause(app: Flask) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False

    def fail() -> str:
        raise RuntimeError("/secret/path")

    app.view_functions["live.index"] = fail
    answer = app.test_client().get("/", headers=AS_BROWSER)
    assert answer.status_code == 500
    assert "Error 500" in answer.text and "secret" not in answer.text


def test_a_form_that_is_too_old_is_refused_by_a_page(server: Server) -> None:
    browser = Browser(server)
    browser.open(f"/host?token={TOKEN}")
    answer = browser.open("/host/welcome", csrf_token="old", name="Ada", password=PASSWORD)
    assert answer.status_code == 403
    assert "too old" in answer.text and "Error 403" in answer.text


@pytest.mark.parametrize(
    ("typed", "status"), [("NOPE2345", 404), ("nope-2345", 404), ("NOPE/2345", 400), ("--", 400)]
)
def test_a_wrong_code_stays_in_its_field_with_the_reason(server: Server, typed: str, status: int) -> None:
    browser = Browser(server)
    answer = browser.get(f"{server.url}/r", params={"code": typed}, timeout=TIMEOUT_S)
    assert answer.status_code == status
    tag = field(answer.text, "code")
    assert re.sub(r"[\s-]", "", typed).upper() in tag.replace("-", "")
    assert "code" in explanation(answer.text, tag)


def test_the_form_for_a_code_accuses_nobody_before_they_typed(server: Server) -> None:
    assert "aria-invalid" not in Browser(server).open("/r").text


def test_a_failed_sign_in_keeps_the_name_and_marks_the_fields(server: Server) -> None:
    browser = Browser(server)
    browser.open("/host")
    page = browser.open("/host/login", name='Ada "the first"', password="wrong").text
    assert 'value="Ada "the first""' in field(page, "name")
    assert explanation(page, field(page, "name")) == "The name or the password is wrong."
    assert "wrong" not in field(page, "password").replace('aria-invalid="true"', "")
    assert 'aria-invalid="true"' in field(page, "password")


def test_too_many_attempts_keep_the_name_and_blame_no_field() -> None:
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN) as fresh:
        browser = Browser(fresh)
        browser.open("/host")
        answers = [browser.open("/host/login", name="Ada", password="guess") for _ in range(14)]
    assert answers[-1].status_code == 429
    assert 'value="Ada"' in field(answers[-1].text, "name")
    assert "aria-invalid" not in answers[-1].text
    assert "wait a minute" in answers[-1].text


def test_a_first_access_link_that_is_wrong_says_so_and_what_to_do(server: Server) -> None:
    answer = Browser(server).open("/host?token=wrong")
    assert answer.status_code == 401
    assert "This link does not work" in answer.text
    assert "newest link in the server's terminal" in html.unescape(answer.text)
    assert "This link does not work" not in Browser(server).open("/host").text


def test_a_first_access_that_is_used_up_says_so(server: Server) -> None:
    browser = Browser(server)
    browser.open(f"/host?token={TOKEN}")
    browser.open("/host/welcome")
    late = browser.copy()
    assert browser.open("/host/welcome", name="Emmy", password=PASSWORD).status_code == 302
    assert "This link does not work" in late.open("/host/welcome", name="Eve", password=PASSWORD).text


@pytest.mark.parametrize(
    ("name", "password", "wrong"), [("Ada", "short", "password"), ("  ", PASSWORD, "name")]
)
def test_a_first_account_that_is_refused_keeps_the_name_and_marks_the_field(
    server: Server, name: str, password: str, wrong: str
) -> None:
    browser = Browser(server)
    browser.open(f"/host?token={TOKEN}")
    browser.open("/host/welcome")
    answer = browser.open("/host/welcome", name=name, password=password)
    assert answer.status_code == 400
    assert f'value="{name}"' in field(answer.text, "name")
    assert explanation(answer.text, field(answer.text, wrong))
    assert answer.text.count("aria-invalid") == 1


LONG = "x" * 300


@pytest.mark.parametrize(
    ("sent", "wrong", "text"),
    [
        ({"name": " "}, "name", "Name must be"),
        ({"information": "Ask [name]."}, "information", "[name]"),
        ({"translation-de": "Fragen Sie [Name]."}, "translation-de", "[Name]"),
        ({"max_participants": "many"}, "max_participants", "'many'"),
        ({"max_participants": "9" * 5000}, "max_participants", "1 to 200"),
        ({"marker_labels": "\n".join("abcdefghij")}, "marker_labels", "at most 9"),
        ({"marker_labels": LONG}, "marker_labels", "1 to 200"),
        ({"allowed_origins": "https://lab.example/page"}, "allowed_origins", "without a path"),
        ({"id_parameter": "not a name"}, "id_parameter", "PROLIFIC_PID"),
        ({"return_url": "http://panel.example"}, "return_url", "https://"),
        ({"completion_code": LONG}, "completion_code", "0 to 100"),
        ({"lsl_markers": LONG}, "lsl_markers", "1 to 200"),
    ],
)
def test_a_room_that_is_refused_keeps_what_was_typed_and_marks_the_field(
    host: Browser, sent: dict[str, str], wrong: str, text: str
) -> None:
    host.open("/host/rooms/new")
    answer = host.open("/host/rooms", **{"name": "Study", "information": "What this is.", **sent})
    assert answer.status_code == 400
    tag = field(answer.text, wrong)
    assert text in explanation(answer.text, tag)
    assert answer.text.count("aria-invalid") == 1 and answer.text.count('id="form-problem"') == 1
    assert sent[wrong] in html.unescape(answer.text)


@pytest.mark.parametrize(
    ("path", "sent", "wrong"),
    [
        ("keys", {"name": " ", "scope": "markers"}, "name"),
        ("hosts", {"name": "Ada", "password": PASSWORD}, "name"),
        ("hosts", {"name": "Grace", "password": "short"}, "password"),
        ("password", {"old": "wrong", "password": PASSWORD}, "old"),
        ("password", {"old": PASSWORD, "password": "short"}, "password"),
    ],
)
def test_a_form_of_the_account_that_is_refused_marks_its_own_field(
    host: Browser, path: str, sent: dict[str, str], wrong: str
) -> None:
    host.open("/host/account")
    answer = host.open(f"/host/account/{path}", **sent)
    assert answer.status_code == 400
    (form,) = re.findall(rf'<form [^>]*action="/host/account/{path}".*?</form>', answer.text, re.DOTALL)
    assert explanation(answer.text, field(form, wrong))
    assert answer.text.count("aria-invalid") == 1


def test_a_key_that_may_do_nothing_is_refused_and_its_choices_say_why(host: Browser) -> None:
    host.open("/host/account")
    page = host.open("/host/account/keys", name="Lab").text
    assert '<fieldset class="form-choices" aria-describedby="form-problem">' in page
    assert "Choose at least one thing" in page and 'value="Lab"' in page
