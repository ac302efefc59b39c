"""The addresses of rooms in frames: who may show them, and what the modules are served as."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from tests.helpers.room_client import TIMEOUT_S, TOKEN, api, make_room
from tests.helpers.serving import Server

ORIGINS = ["https://lab.example", "http://localhost:8000"]
STRANGER = "https://stranger.example"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN) as running:
        yield running


@pytest.fixture(scope="module")
def room(server: Server) -> str:
    return make_room(server, allowed_origins=ORIGINS)


def get(server: Server, path: str, **headers: str) -> requests.Response:
    return requests.get(f"{server.url}{path}", headers=headers, timeout=TIMEOUT_S, allow_redirects=False)


def frame_ancestors(answer: requests.Response) -> str:
    policy = answer.headers["Content-Security-Policy"]
    (found,) = [part for part in policy.split("; ") if part.startswith("frame-ancestors ")]
    return found.removeprefix("frame-ancestors ")


def test_the_frame_of_a_room_may_be_shown_by_exactly_the_origins_that_it_names(
    server: Server, room: str
) -> None:
    answer = get(server, f"/embed/{room}")
    assert answer.status_code == 200
    assert frame_ancestors(answer) == " ".join(ORIGINS)
    assert "X-Frame-Options" not in answer.headers, "which would forbid it, as it cannot name origins"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    ["/", "/r", "/r/ROOM", "/host", "/about", "/embed/NOPE2345", "/embed/mien.js", "/embed/ROOM/status"],
)
def test_nothing_else_may_be_shown_in_a_frame(server: Server, room: str, path: str) -> None:
    answer = get(server, path.replace("ROOM", room))
    assert frame_ancestors(answer) == "'none'"
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_a_room_that_names_no_origin_is_shown_in_no_frame(server: Server) -> None:
    answer = get(server, f"/embed/{make_room(server)}")
    assert frame_ancestors(answer) == "'none'" and answer.headers["X-Frame-Options"] == "DENY"


def test_the_frame_asks_for_a_process_of_its_own_and_has_no_way_to_other_pages(
    server: Server, room: str
) -> None:
    answer = get(server, f"/embed/{room}")
    assert answer.headers["Origin-Agent-Cluster"] == "?1"
    assert "<footer" not in answer.text and "<header" not in answer.text and "<a " not in answer.text


@pytest.mark.parametrize("name", ["mien.js", "jspsych-mien.js"])
def test_the_modules_can_be_imported_by_any_origin_and_are_cached(server: Server, name: str) -> None:
    answer = get(server, f"/embed/{name}", Origin=STRANGER)
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "max-age=300" in answer.headers["Cache-Control"]
    again = get(server, f"/embed/{name}", **{"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304 and again.content == b""


def test_the_module_needs_no_other(server: Server) -> None:
    lines = get(server, "/embed/mien.js").text.splitlines()
    assert [line for line in lines if line.startswith("import ")] == []
    imports = [
        line for line in get(server, "/embed/jspsych-mien.js").text.splitlines() if line[:7] == "import "
    ]
    assert imports == ['import { Mien } from "./mien.js";']


def test_the_status_of_a_room_says_whether_the_origin_that_asks_is_allowed(server: Server, room: str) -> None:
    for origin, allowed in [*((one, True) for one in ORIGINS), (STRANGER, False), ("null", False)]:
        answer = get(server, f"/embed/{room}/status", Origin=origin)
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.json() == {"state": "open", "allowed": allowed}


def test_the_status_names_a_closed_and_an_unknown_room(server: Server) -> None:
    closed = make_room(server, allowed_origins=ORIGINS)
    api(server, "POST", f"/rooms/{closed}/close")
    assert get(server, f"/embed/{closed}/status", Origin=ORIGINS[0]).json()["state"] == "closed"
    unknown = get(server, "/embed/NOPE2345/status", Origin=STRANGER)
    assert unknown.status_code == 404 and unknown.headers["Access-Control-Allow-Origin"] == "*"
    assert unknown.json()["problem"]["code"] == "no_such_room"
