"""Programs get problems as objects, whatever they ask for and send."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from flask import Flask, abort

from tests.helpers.host_browser import signed_in
from tests.helpers.room_client import TIMEOUT_S, TOKEN, make_room
from tests.helpers.serving import Server
from webapp.app import create_app
from webapp.config import Settings

AUTHORIZATION = {"Authorization": f"Bearer {TOKEN}"}

AS_HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
NAVIGATION = {**AS_HTML, "Sec-Fetch-Mode": "navigate"}
"""What a browser sends that follows a link."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN) as running:
        yield running


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    """An application with nothing started."""
    return create_app(Settings(data_dir=tmp_path, host_token=TOKEN))


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v1/nothing", 404, "not_found"),
        ("GET", "/api/", 404, "not_found"),
        ("GET", "/api", 404, "not_found"),
        ("POST", "/api/v2/rooms", 404, "not_found"),
        ("PUT", "/api/v1/rooms", 405, "method_not_allowed"),
        ("GET", "/api/v1/analyze", 405, "method_not_allowed"),
    ],
)
def test_what_is_not_there_is_a_problem(app: Flask, method: str, path: str, status: int, code: str) -> None:
    answer = app.test_client().open(path, method=method)
    assert answer.status_code == status
    assert answer.get_json()["problem"]["code"] == code
    assert answer.mimetype == "application/problem+json"
    if status == 405:
        assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize("status", [400, 404, 405, 413, 415, 500])
def test_what_no_view_answers_is_a_problem_with_its_status(app: Flask, status: int) -> None:
    app.view_functions["api.list_rooms"] = lambda: abort(status)
    answer = app.test_client().get("/api/v1/rooms")
    assert answer.status_code == status
    assert answer.get_json()["problem"]["message"]


def test_a_view_that_fails_is_a_problem_without_its_cause(app: Flask) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False

    def fail() -> str:
        raise RuntimeError("/secret/path")

    app.view_functions["api.list_rooms"] = fail
    answer = app.test_client().get("/api/v1/rooms")
    assert (answer.status_code, answer.get_json()["problem"]["code"]) == (500, "server_error")
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [("/api/v1/nothing", 404, "There is no such page"), ("/api/v1/analyze", 405, "Error 405")],
)
def test_whoever_opens_an_address_in_a_browser_gets_a_page(
    app: Flask, path: str, status: int, text: str
) -> None:
    answer = app.test_client().get(path, headers=NAVIGATION)
    assert (answer.status_code, answer.mimetype) == (status, "text/html")
    assert text in answer.text and 'href="/"' in answer.text
    assert ("POST" in answer.headers.get("Allow", "")) == (status == 405)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        AS_HTML,
        {**AS_HTML, "Sec-Fetch-Mode": "cors"},
        {"Accept": "application/json", "Sec-Fetch-Mode": "navigate"},
    ],
)
def test_programs_and_scripts_get_an_object(app: Flask, headers: dict[str, str]) -> None:
    answer = app.test_client().get("/api/v1/nothing", headers=headers)
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")


def test_a_host_who_follows_the_link_of_an_export_reads_why_there_is_none(server: Server) -> None:
    host = signed_in(server)
    host.headers.update({**NAVIGATION, "Accept-Language": "de"})
    gone = host.open("/api/v1/rooms/NOPE2345/export.zip")
    assert gone.status_code == 404 and '<html lang="de"' in gone.text and 'href="/host"' in gone.text
    unknown = host.open(f"/api/v1/rooms/{make_room(server)}/export.zip?format=exe")
    assert unknown.status_code == 400 and "<!doctype html>" in unknown.text


def test_a_host_whose_session_ended_is_asked_to_sign_in_by_the_link_of_an_export(server: Server) -> None:
    answer = requests.get(
        f"{server.url}/api/v1/rooms/{make_room(server)}/export.zip", headers=NAVIGATION, timeout=TIMEOUT_S
    )
    assert answer.status_code == 401 and 'name="password"' in answer.text


def test_a_problem_is_a_problem_detail_and_keeps_the_problem_object(app: Flask) -> None:
    answer = app.test_client().get("/api/v1/nothing").get_json()
    text = "The API has nothing at this address; /api/v1/docs lists what it has."
    assert answer == {
        "type": "/api/v1/docs#problem-not_found",
        "title": "Not found",
        "status": 404,
        "detail": text,
        "instance": "/api/v1/nothing",
        "problem": {"code": "not_found", "message": text},
    }


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "code"),
    [
        ("GET", "/api/v1/rooms", {}, 401, "unauthorized"),
        ("GET", "/api/v1/rooms", {"Host": "elsewhere.example.org"}, 421, "unknown_host"),
        ("GET", "/api/nothing", {"Host": "elsewhere.example.org"}, 421, "unknown_host"),
    ],
)
def test_so_is_one_of_any_layer(
    app: Flask, method: str, path: str, headers: dict[str, str], status: int, code: str
) -> None:
    answer = app.test_client().open(path, method=method, headers=headers)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    details = answer.get_json()
    assert (details["status"], details["problem"]["code"]) == (status, code)
    assert details["detail"] == details["problem"]["message"]


@pytest.mark.parametrize(
    "kind", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_json_without_its_content_type_is_told_so(app: Flask, kind: str | None) -> None:
    answer = app.test_client().post(
        "/api/v1/rooms", data=b'{"name": "R", "information": "I"}', content_type=kind, headers=AUTHORIZATION
    )
    assert (answer.status_code, answer.get_json()["problem"]["code"]) == (415, "unsupported_media_type")
    assert "Content-Type: application/json" in answer.get_json()["detail"]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"information": "I"}, "name is missing."),
        ({"name": 7, "information": "I"}, "name is 7, but must be a text."),
        ({"name": "R", "information": "I", "settings": {"color": 1}}, "settings.color is unknown here"),
        ({"name": "R", "information": "I", "settings": []}, "settings is a list, but must be an object."),
        (
            {"name": "R", "information": "I", "settings": {"video": "yes"}},
            "settings.video is 'yes', but must be true",
        ),
    ],
)
def test_a_body_of_another_shape_is_told_which_field_is_wrong(
    app: Flask, body: dict[str, object], text: str
) -> None:
    answer = app.test_client().post("/api/v1/rooms", json=body, headers=AUTHORIZATION)
    assert answer.status_code == 400
    assert text in answer.get_json()["detail"]


@pytest.mark.parametrize("path", ["/nothing", "/apis"])
def test_people_still_get_a_page(app: Flask, path: str) -> None:
    assert app.test_client().get(path).mimetype == "text/html"


def test_a_body_that_is_too_large_is_a_problem(app: Flask) -> None:
    app.config["MAX_CONTENT_LENGTH"] = 1000
    answer = app.test_client().post("/api/v1/rooms", json={"name": "x" * 1000}, headers=AUTHORIZATION)
    assert (answer.status_code, answer.get_json()["problem"]["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    "body",
    [
        *(b"[" * 200_000, b'{"a":' * 200_000, b'{"name":' + b"[" * 5000 + b"]" * 5000 + b"}"),
        *(b"", b"null", b"7", b"[]", b"{", b"NaN", b'{"label": NaN}', b'{"label": 1e999}', b"\xff\xfe\xff"),
        *(b'{"label": "\xff"}', b'{"label": ' + b"9" * 5000 + b"}", b'{"label": ' + b"9" * 4000 + b"}"),
        *(
            b'{"label": "x", "time": NaN}',
            b'{"label": "x", "time": -Infinity}',
            b'{"label": "x", "time": []}',
        ),
        *(b'{"state": Infinity}', b'{"label": {"label": "x"}}', b"\x00", b'\xef\xbb\xbf{"label": 1}'),
    ],
)
@pytest.mark.parametrize("action", ["markers", "recording"])
def test_a_body_that_no_reader_can_follow_is_a_bad_request(
    server: Server, room: str, action: str, body: bytes
) -> None:
    answer = requests.post(
        f"{server.url}/api/v1/rooms/{room}/{action}",
        data=body,
        headers={"Content-Type": "application/json", **AUTHORIZATION},
        timeout=TIMEOUT_S,
    )
    assert answer.status_code == 400, answer.text
    assert answer.json()["problem"]["code"] == "bad_request"


@pytest.fixture(scope="module")
def room(server: Server) -> str:
    return make_room(server)


@pytest.mark.parametrize("people", ["NaN", "Infinity", "1e999", "9" * 400, "-1", "true", '"3"', "[" * 3000])
def test_numbers_that_are_none_are_no_settings(server: Server, people: str) -> None:
    body = f'{{"name": "R", "information": "I", "settings": {{"max_participants": {people}}}}}'
    answer = requests.post(
        f"{server.url}/api/v1/rooms",
        data=body,
        headers={"Content-Type": "application/json", **AUTHORIZATION},
        timeout=TIMEOUT_S,
    )
    assert (answer.status_code, answer.json()["problem"]["code"]) == (400, "bad_request")
