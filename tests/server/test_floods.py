"""A short form of the floods of `make bench-attacks`: live clients and /healthz beside each of them."""

from __future__ import annotations

import contextlib
import socket
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.helpers.attacks import Target
from tests.helpers.flood_turns import FloodedServer, Turns, refusals
from tests.helpers.floods import FLOODS
from tests.helpers.load_client import TEXT, Plan, simulate, websocket_frame
from tests.helpers.room_client import TOKEN, ParticipantClient, api, code_of, make_room
from tests.helpers.serving import Server
from tests.helpers.waiting import wait_until
from webapp.server.connections.connection_limits import OVER_BUDGET_TIMEOUT_S

FRACTION = 0.1
CLIENTS, RATE_PER_S, SECONDS = 2, 5.0, 5.0
HEAD_TIMEOUT_S = 3
"""Shorter than a turn, so that slow heads are refused within it."""

KEPT_RATE = 0.5
MAX_TURNS = 5
"""Generous, for machines that do other things as well; `make bench-attacks` wants 0.9 of three turns."""

TIMEOUT_S = 120.0

REFUSED = {
    "slow-loris clients": "slow requests",
    "Socket.IO connections opened from one address": "handshakes",
}
"""What is counted where a flood is refused with these settings."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    settings = {"MIEN_HEAD_TIMEOUT_S": str(HEAD_TIMEOUT_S), "MIEN_HANDSHAKES_PER_S": "2"}
    with Server(
        MIEN_WORKERS="2", MIEN_HOST_TOKEN=TOKEN, MIEN_CONNECTIONS_PER_ADDRESS="60", **settings
    ) as one:
        yield one


@pytest.mark.parametrize("name", FLOODS)
def test_live_clients_and_healthz_are_served_beside(server: Server, name: str, astronaut_jpeg: bytes) -> None:
    plan = Plan(server.port, CLIENTS, SECONDS, RATE_PER_S, warm_up_s=0.5)
    flooded, turns = FloodedServer(server, plan, [astronaut_jpeg], simulate), Turns(name)
    for _ in range(MAX_TURNS):
        flooded.take_turn(turns, FRACTION)
        if turns.alone and turns.kept >= KEPT_RATE:
            break
    assert turns.alone > 0
    assert turns.kept >= KEPT_RATE
    assert turns.healthz_ms and turns.unhealthy == 0
    if name in REFUSED:
        assert turns.refused[REFUSED[name]] > 0


def test_a_request_whose_head_is_too_slow_is_told_so(server: Server) -> None:
    with Target(server.port, "", timeout_s=TIMEOUT_S).connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        answer = _read_all(connection)
    assert answer.startswith(b"HTTP/1.1 408 ") and b'"too_slow"' in answer


def test_a_connection_for_which_there_is_no_place_is_told_so() -> None:
    with Server(MIEN_WORKERS="1", MIEN_CONNECTIONS_PER_ADDRESS="2") as narrow:
        target = Target(narrow.port, "", timeout_s=TIMEOUT_S)
        with target.websocket(), target.websocket():
            wait_until(lambda: b"503 SERVICE UNAVAILABLE" in _answer(target))
            told = _answer(target)
            assert b"application/problem+json" in told and b'"too_many_connections"' in told
            assert b"Retry-After" in told
        wait_until(lambda: b"200 OK" in _answer(target))
        assert refusals(narrow)["connections of an address"] >= 2


def _answer(target: Target) -> bytes:
    with target.connect() as connection:
        connection.sendall(target.request("/healthz").replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        return _read_all(connection)


def _read_all(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(1 << 14), b""))


def test_a_socketio_connection_beyond_the_rate_of_an_address_is_told_when_to_come_back() -> None:
    with Server(MIEN_WORKERS="1", MIEN_HANDSHAKES_PER_S="1") as slow:
        url = f"{slow.url}/socket.io/?EIO=4&transport=polling"
        with requests.Session() as session:
            answers = [session.get(url, timeout=TIMEOUT_S) for _ in range(4)]
            assert {answer.status_code for answer in answers} == {200}
            tries = (session.get(url, timeout=TIMEOUT_S) for _ in range(100))
            refused = next(answer for answer in tries if answer.status_code != 200)
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
        assert code_of(refused.json()) == "too_many_connections"
        time.sleep(2.0)
        assert requests.get(url, timeout=TIMEOUT_S).status_code == 200


def test_a_classroom_behind_one_address_joins_in_the_same_second(astronaut_jpeg: bytes) -> None:
    """Thirty people, whose pages each load what they need and open two Socket.IO connections."""
    people = 30
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN) as usual:
        room = make_room(usual)

        def join(number: int) -> tuple[bool, bool]:
            for path in (f"/r/{room}", "/static/css/base.css", "/healthz"):
                assert requests.get(f"{usual.url}{path}", timeout=TIMEOUT_S).status_code == 200
            other = Target(usual.port, room, timeout_s=TIMEOUT_S)
            with ParticipantClient(usual) as page, other.websocket():
                joined = "participant" in page.join(room, alias=f"P{number}")
                return joined, "problem" not in page.send(astronaut_jpeg) or joined

        with ThreadPoolExecutor(people) as browsers:
            came_in = list(browsers.map(join, range(people)))
        assert came_in == people * [(True, True)]
        assert refusals(usual) == {}
        assert len(api(usual, "GET", f"/rooms/{room}").json()["participants"]) == people


def test_who_waits_for_answers_is_slowed_and_who_does_not_is_closed_and_told(server: Server) -> None:
    room = make_room(server, participant_markers=True)
    before = refusals(server).get("messages", 0.0)
    end_s = time.monotonic() + 1.5 * OVER_BUDGET_TIMEOUT_S

    def flood() -> bytes:
        with Target(server.port, room, timeout_s=TIMEOUT_S).websocket() as connection:
            return _sent_until_closed(connection)

    with ThreadPoolExecutor(1) as attacker, ParticipantClient(server) as one:
        flooding = attacker.submit(flood)
        one.join(room)
        answered = 0
        while time.monotonic() < end_s:
            one.ask("mark", {"label": str(answered)})
            answered += 1
        said = flooding.result(TIMEOUT_S)
        assert one.client.connected
    assert answered > OVER_BUDGET_TIMEOUT_S
    assert b"\x03\xf0Too many messages" in said
    assert refusals(server)["messages"] == before + 1


def _sent_until_closed(connection: socket.socket) -> bytes:
    """Send events without waiting for anything until the server closes; the last of what it said."""
    pieces: deque[bytes] = deque(maxlen=10)
    with ThreadPoolExecutor(1) as sender:
        sender.submit(_send_on, connection, websocket_frame(TEXT, b'42["nothing"]'))
        with contextlib.suppress(OSError):
            pieces.extend(iter(lambda: connection.recv(1 << 14), b""))
        connection.close()
    return b"".join(pieces)


def _send_on(connection: socket.socket, frame: bytes) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection.sendall(100 * frame)
