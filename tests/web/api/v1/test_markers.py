"""Markers on a real server: programs, hosts and participants set them, hosts change them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.helpers.host_browser import new_key, signed_in
from tests.helpers.room_client import (
    TIMEOUT_S,
    TOKEN,
    ParticipantClient,
    api,
    code_of,
    export,
    make_room,
    rows,
)
from tests.helpers.serving import Server
from webapp.accounts.join_limits import MARKS, MARKS_PER_S

CLOCK_AHEAD_MS = 3_600_000.0

SAME_TIME_S = 0.5
"""How far the estimate of a clock may be off on a busy machine."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN) as running:
        yield running


def mark(server: Server, room: str, label: str, **body: object) -> dict[str, object]:
    answer = api(server, "POST", f"/rooms/{room}/markers", {"label": label, **body})
    assert answer.status_code == 201, answer.text
    made: dict[str, object] = answer.json()
    return made


def seconds(time_text: str) -> float:
    return datetime.fromisoformat(time_text).timestamp()


def test_the_clock_is_the_servers_and_needs_no_key(server: Server) -> None:
    asked_ms = 1000 * time.time()
    answer = api(server, "GET", "/clock", token="")
    assert asked_ms - 1 < answer.json()["now_ms"] < 1000 * time.time() + 1
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_marker_is_renamed_moved_and_deleted_and_the_export_keeps_what_it_was(server: Server) -> None:
    room = make_room(server)
    late = (datetime.now(UTC) - timedelta(seconds=5)).isoformat(timespec="milliseconds")
    first, second = mark(server, room, "tpyo"), mark(server, room, "wrong")
    path = f"/rooms/{room}/markers"
    changed = api(server, "PATCH", f"{path}/{first['id']}", {"label": "typo", "time": late})
    assert (changed.status_code, changed.json()["label"]) == (200, "typo")
    assert [(one["label"], one["by"]) for one in changed.json()["history"]] == [("tpyo", "first host")]
    assert api(server, "DELETE", f"{path}/{second['id']}").json() == {"deleted": True}
    listed = api(server, "GET", path).json()
    assert ([one["label"] for one in listed["markers"]], listed["more"]) == (["typo"], False)
    assert api(server, "GET", f"{path}?after={first['id']}").json()["markers"] == []
    files = export(server, room)
    assert [row["label"] for row in rows(files["markers.csv"])] == ["typo"]
    kept = json.loads(files["room.json"])["changed_markers"]
    assert [(one["label"], bool(one["deleted"])) for one in kept] == [("typo", False), ("wrong", True)]
    assert [one["history"][-1]["label"] for one in kept] == ["tpyo", "wrong"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("PATCH", "/999999", {"label": "x"}, 404, "no_such_marker"),
        ("DELETE", "/99999999999999999999", {}, 404, "no_such_marker"),
        ("PATCH", "/{id}", {}, 400, "bad_request"),
        ("PATCH", "/{id}", {"label": ""}, 400, "bad_request"),
        ("PATCH", "/{id}", {"label": 7}, 400, "bad_request"),
        ("PATCH", "/{id}", {"time": "yesterday"}, 400, "bad_request"),
        ("PATCH", "/{id}", {"time": "2199-01-01"}, 400, "bad_request"),
        ("GET", "?after=x", {}, 400, "bad_request"),
    ],
)
def test_a_change_that_cannot_be_is_refused_with_a_reason(
    server: Server, method: str, path: str, body: dict[str, object], status: int, code: str
) -> None:
    room = make_room(server)
    made = mark(server, room, "kept")
    answer = api(server, method, f"/rooms/{room}/markers{path.format(id=made['id'])}", body)
    assert (answer.status_code, code_of(answer.json())) == (status, code)
    (still,) = api(server, "GET", f"/rooms/{room}/markers").json()["markers"]
    assert (still["label"], still["history"]) == ("kept", [])


def test_only_the_dashboard_of_a_host_who_signed_in_sets_markers_of_source_board(server: Server) -> None:
    room, host = make_room(server), signed_in(server)
    body = {"label": "pressed", "source": "board"}
    for secret in (TOKEN, new_key(host, "Program", "markers")):
        refused = api(server, "POST", f"/rooms/{room}/markers", body, token=secret)
        assert (refused.status_code, code_of(refused.json())) == (403, "forbidden")
    assert api(server, "GET", f"/rooms/{room}/markers").json()["markers"] == []
    host.open(f"/host/rooms/{room}")
    url, headers = f"{server.url}/api/v1/rooms/{room}/markers", {"X-CSRFToken": host.token}
    made = host.post(url, json=body, headers=headers, timeout=TIMEOUT_S)
    assert (made.status_code, made.json()["source"]) == (201, "board")


def test_a_page_gets_the_reason_of_a_refusal_in_its_language_and_a_program_in_english(server: Server) -> None:
    room, host = make_room(server), signed_in(server)
    url = f"{server.url}/api/v1/rooms/{room}/markers"
    host.open(f"/host/rooms/{room}")
    headers = {"X-CSRFToken": host.token, "Accept-Language": "de"}
    of_page = host.post(url, json={"label": ""}, headers=headers, timeout=TIMEOUT_S).json()
    of_program = api(server, "POST", f"/rooms/{room}/markers", {"label": ""}).json()
    assert of_page["detail"] == of_program["detail"] and "text" not in of_program
    assert of_page["text"] and of_page["text"] != of_page["detail"]


def test_a_participants_mark_is_exported_with_them_and_both_clocks(server: Server) -> None:
    room = make_room(server, participant_markers=True)
    with ParticipantClient(server, clock_ahead_ms=CLOCK_AHEAD_MS) as one:
        participant = one.join(room)["participant"]
        one.wait_for_clock()
        sent_ms = 1000 * time.time() + CLOCK_AHEAD_MS
        answer = one.ask("mark", {"label": "pressed", "time": sent_ms})
        assert answer["label"] == "pressed"
        assert one.ask("mark", {"label": "pressed", "time": sent_ms})["id"] == answer["id"]
        mark(server, room, "everybody")
        for bad in ({}, {"label": "x", "time": "now"}, {"label": "x", "time": 0}, {"label": ""}, None):
            assert code_of(one.ask("mark", bad)) == "bad_request"
    own, of_all = rows(export(server, room)["markers.csv"])
    assert list(own) == [
        *("recording", "timestamp", "t", "label", "source", "participant", "time", "received", "lsl_time"),
    ]
    assert (own["label"], own["source"], own["participant"]) == ("pressed", "participant", participant)
    assert seconds(own["time"]) == pytest.approx(sent_ms / 1000, abs=0.002)
    assert seconds(own["timestamp"]) == pytest.approx((sent_ms - CLOCK_AHEAD_MS) / 1000, abs=SAME_TIME_S)
    assert seconds(own["received"]) >= seconds(own["timestamp"])
    assert (of_all["source"], of_all["participant"], of_all["lsl_time"]) == ("api", "", "")


def test_a_participants_mark_goes_nowhere_but_into_their_own_room(server: Server) -> None:
    room, other, strict = (
        make_room(server, participant_markers=True),
        make_room(server, participant_markers=True),
        make_room(server),
    )
    with ParticipantClient(server) as one, ParticipantClient(server) as stranger:
        assert code_of(stranger.ask("mark", {"label": "x", "room": room})) == "not_joined"
        one.join(room)
        stranger.join(strict)
        assert code_of(one.ask("mark", {"label": "x", "room": other})) == "not_joined"
        assert one.ask("mark", {"label": "mine"})["id"]
        assert code_of(stranger.ask("mark", {"label": "x"})) == "forbidden"
        api(server, "POST", f"/rooms/{room}/close")
        assert code_of(one.ask("mark", {"label": "late"})) in ("not_joined", "room_closed")
    labels = {
        code: [one["label"] for one in api(server, "GET", f"/rooms/{code}/markers").json()["markers"]]
        for code in (room, other, strict)
    }
    assert labels == {room: ["mine"], other: [], strict: []}


def test_a_participant_who_floods_a_room_with_marks_is_slowed(server: Server) -> None:
    room = make_room(server, participant_markers=True)
    with ParticipantClient(server) as one:
        one.join(room)
        begin_s = time.monotonic()
        answers = [one.ask("mark", {"label": str(number)}) for number in range(2 * MARKS)]
        in_time = MARKS_PER_S * (time.monotonic() - begin_s)
    kept = sum("problem" not in answer for answer in answers)
    assert MARKS <= kept <= MARKS + in_time
    assert {code_of(answer) for answer in answers if "problem" in answer} <= {"too_many_attempts"}
    assert len(api(server, "GET", f"/rooms/{room}/markers").json()["markers"]) == kept


def test_a_key_of_the_scope_markers_marks_and_records_and_does_nothing_else(server: Server) -> None:
    room = make_room(server)
    key = new_key(signed_in(server), "PsychoPy", "markers")
    done = [
        api(server, "POST", f"/rooms/{room}/recording", {"state": "started"}, key).status_code,
        api(server, "POST", f"/rooms/{room}/markers", {"label": "now"}, key).status_code,
        api(server, "POST", f"/rooms/{room}/recording", {"state": "stopped"}, key).status_code,
        api(server, "GET", f"/rooms/{room}/markers", None, key).status_code,
    ]
    assert done == [200, 201, 200, 200]
    refused = [
        api(server, "GET", f"/rooms/{room}", None, key),
        api(server, "POST", f"/rooms/{room}/close", {}, key),
        api(server, "GET", f"/rooms/{room}/stream", None, key),
        api(server, "DELETE", f"/rooms/{room}", None, key),
    ]
    assert [(one.status_code, code_of(one.json())) for one in refused] == [(403, "forbidden")] * 4
    marker = api(server, "GET", f"/rooms/{room}/markers", None, key).json()["markers"][0]
    changed = api(server, "PATCH", f"/rooms/{room}/markers/{marker['id']}", {"label": "then"}, key)
    assert changed.json()["history"][0]["by"] == "Ada (PsychoPy)"
