"""Joining on a real server: what one address and one connection may do, and who may come back."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests

from tests.helpers.module_server import module_server
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
from tests.helpers.stores import Background, scripted_rooms
from webapp.accounts.audit import AuditLog
from webapp.accounts.identity import HostUser
from webapp.accounts.join_limits import JOINS_OF_CONNECTION, JOINS_OF_CONNECTION_PER_S, WrongCodes
from webapp.accounts.service import AccountService
from webapp.rooms.dashboard.history import History
from webapp.rooms.service import RoomService
from webapp.rooms.ticker import Ticker
from webapp.store.sample_writer import SampleWriter
from webapp.web.sockets.connections import Connections
from webapp.web.sockets.rooms import RoomEvents

MAX_OVER_THE_LENGTH = 25


server = module_server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN)


def participants(server: Server, room: str) -> list[str]:
    return [one["id"] for one in api(server, "GET", f"/rooms/{room}").json()["participants"]]


def test_a_right_code_works_however_many_wrong_ones_came_from_the_same_address() -> None:
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN) as server:
        room = make_room(server)
        with ParticipantClient(server) as one:
            answers = [code_of(one.join(f"WRONG{number:03d}")) for number in range(MAX_OVER_THE_LENGTH)]
            assert answers[-1] == "too_many_attempts"
            assert "participant" in one.join(room)
        for number in range(MAX_OVER_THE_LENGTH):
            last = requests.get(f"{server.url}/r/WRONG{number:03d}", timeout=TIMEOUT_S)
        assert last.status_code == 429
        assert requests.get(f"{server.url}/r/{room}", timeout=TIMEOUT_S).status_code == 200


def test_a_connection_that_joins_thirty_times_takes_one_place(server: Server) -> None:
    room = make_room(server, max_participants=2)
    with ParticipantClient(server) as one, ParticipantClient(server) as other:
        answers = [one.join(room) for _ in range(30)]
        joined = {answer["participant"] for answer in answers if "participant" in answer}
        assert {code_of(answer) for answer in answers if "problem" in answer} == {"too_many_attempts"}
        assert participants(server, room) == list(joined)
        assert "participant" in other.join(room)


def test_joining_and_leaving_again_and_again_makes_few_participants(server: Server) -> None:
    room, begin_s = make_room(server), time.monotonic()
    with ParticipantClient(server) as one:
        for _ in range(100):
            if "participant" in one.join(room):
                one.ask("leave", {})
    in_time = JOINS_OF_CONNECTION_PER_S * (time.monotonic() - begin_s)
    assert len(participants(server, room)) <= JOINS_OF_CONNECTION + in_time


@pytest.mark.parametrize("method", ["POST remove", "DELETE"])
def test_who_was_removed_comes_back_only_as_somebody_else(server: Server, method: str) -> None:
    room = make_room(server)
    verb, _, ending = method.partition(" ")
    with ParticipantClient(server) as one:
        first = one.join(room)
        path = f"/rooms/{room}/participants/{first['participant']}"
        assert api(server, verb, f"{path}/{ending}" if ending else path).status_code == 200
        assert code_of(one.join(room, resume=first["resume"])) == "cannot_resume"
        assert code_of(one.ask("join", {"room": room, "resume": first["resume"]})) == "cannot_resume"
        assert one.join(room)["participant"] != first["participant"]


def test_who_quits_may_come_back_with_the_secret(server: Server) -> None:
    room = make_room(server)
    with ParticipantClient(server) as one:
        first = one.join(room)
        one.ask("leave", {})
        assert one.join(room, resume=first["resume"])["participant"] == first["participant"]


@pytest.mark.parametrize(
    "time", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", "2020-01-01T00:00Z", "2199-01-01"]
)
def test_a_marker_of_another_time_is_refused_and_not_kept(server: Server, time: str) -> None:
    room = make_room(server)
    answer = api(server, "POST", f"/rooms/{room}/markers", {"label": "x", "time": time})
    assert (answer.status_code, answer.json()["problem"]["code"]) == (400, "bad_request")
    assert rows(export(server, room)["markers.csv"]) == []


def test_a_closed_room_takes_no_markers(server: Server) -> None:
    room = make_room(server)
    api(server, "POST", f"/rooms/{room}/close")
    answer = api(server, "POST", f"/rooms/{room}/markers", {"label": "x"})
    assert (answer.status_code, answer.json()["problem"]["code"]) == (409, "room_closed")
    assert rows(export(server, room)["markers.csv"]) == []


@pytest.mark.parametrize("bad", ["\ud800", "\x00"])
def test_texts_that_cannot_be_stored_are_a_bad_request_not_a_broken_database(
    server: Server, bad: str
) -> None:
    room = make_room(server)
    for path, body in (
        ("/rooms", {"name": f"a{bad}b", "information": "x"}),
        (f"/rooms/{room}/markers", {"label": f"a{bad}b"}),
    ):
        assert api(server, "POST", path, body).status_code == 400
    with ParticipantClient(server) as one:
        assert one.join(room, alias=f"Anna{bad}")["alias"] == "Anna"


def test_a_board_whose_connection_ends_while_the_rooms_are_loaded_is_not_watched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.web.sockets.rooms.current_host", lambda: HostUser(None, "token"))
    monkeypatch.setattr("webapp.web.sockets.rooms.request", SimpleNamespace(args={}, remote_addr="here"))
    with scripted_rooms(tmp_path) as (made, store, _):
        room = made.create_room("Room", "Text", {})
        room_service = RoomService(store, SampleWriter(store), "model")
        emitter = SimpleNamespace(emit=None)
        subscriptions = Ticker(room_service, emitter).subscriptions
        accounts = AccountService(store, None)
        events = RoomEvents(
            Connections(emitter),
            room_service,
            subscriptions,
            History(room_service),
            accounts,
            AuditLog(store),
            WrongCodes(),
        )
        events.connected("board", None)
        with store.slow("load_rooms") as asked:
            with Background(events._subscribe, "board", {"room": room.code}) as watching:
                assert asked.wait(10)
            events.disconnected("board")
        assert watching.outcome() == {"watching": room.code}
        assert subscriptions._subscriptions == {}
