"""A room's stream on a real server: what comes, what a reader that breaks off misses, and who costs what."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from tests.helpers.event_stream import StreamReader
from tests.helpers.host_browser import delete_keys, new_key, signed_in
from tests.helpers.room_client import (
    CLOCK_ERROR_S,
    TIMEOUT_S,
    TOKEN,
    ParticipantClient,
    api,
    code_of,
    export,
    make_room,
    rows,
    wait_until_stored,
)
from tests.helpers.serving import Server
from tests.helpers.waiting import wait_until
from webapp.export.codebook import COLUMNS
from webapp.rooms.feed import MAX_READERS
from webapp.web.api.v1.stream import HEARTBEAT_S

FRAMES = 5

LONG_LABEL = "\U0001f600" * 200
"""As long as labels may be, in letters that need the most bytes."""

MARKERS = 100

MAX_GROWTH_KB = 40_000
"""The window of a room and all buffers on the way; a queue for each reader would have no end."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN) as running:
        yield running


def record(server: Server, room: str, state: str) -> None:
    assert api(server, "POST", f"/rooms/{room}/recording", {"state": state}).status_code == 200


def mark(server: Server, room: str, label: str) -> int:
    return int(api(server, "POST", f"/rooms/{room}/markers", {"label": label}).json()["id"])


def silent_reader(server: Server, room: str) -> socket.socket:
    """A connection that asks for a stream and takes next to nothing of it."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(("127.0.0.1", server.port))
    head = f"GET /api/v1/rooms/{room}/stream HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
    connection.sendall(f"{head}Authorization: Bearer {TOKEN}\r\n\r\n".encode())
    assert b"200 OK" in connection.recv(512)
    return connection


def memory_kb(server: Server) -> int:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


def test_every_sample_comes_with_the_values_of_the_export(server: Server, astronaut_jpeg: bytes) -> None:
    room = make_room(server, participant_markers=True)
    with ParticipantClient(server) as one, StreamReader(server, room) as reader:
        participant = one.join(room)["participant"]
        assert reader.named("recording")[0].data["state"] == "stopped"
        one.send(astronaut_jpeg)  # not recorded, so not sent
        record(server, room, "started")
        time.sleep(CLOCK_ERROR_S)
        for _ in range(FRAMES):
            one.send(astronaut_jpeg)
        own = one.ask("mark", {"label": "pressed"})
        changed = mark(server, room, "tpyo")
        api(server, "PATCH", f"/rooms/{room}/markers/{changed}", {"label": "typo"})
        api(server, "DELETE", f"/rooms/{room}/markers/{changed}")
        record(server, room, "stopped")
        wait_until(lambda: len(reader.named("recording")) == 3)
    wait_until_stored(server, room, FRAMES)
    exported = rows(export(server, room)["samples.csv"])
    samples = [event.data for event in reader.named("sample")]
    assert len(samples) == len(exported) == FRAMES
    assert list(samples[0]) == [column.name for column in COLUMNS if column.name != "marker"]
    for sample, row in zip(samples, exported, strict=True):
        for name, value in sample.items():
            assert row[name] == ("" if value is None else str(value)), name
    assert samples[0]["participant"] == participant
    assert [one.data["state"] for one in reader.named("recording")] == ["stopped", "started", "stopped"]
    assert [(one.data["id"], one.data["participant"]) for one in reader.named("marker")] == [
        (own["id"], participant),
        (changed, None),
    ]
    assert [one.data["label"] for one in reader.named("marker_changed")] == ["typo"]
    assert [one.data["id"] for one in reader.named("marker_deleted")] == [changed]


def test_a_reader_that_comes_back_misses_nothing(server: Server, astronaut_jpeg: bytes) -> None:
    room = make_room(server)
    with ParticipantClient(server) as one:
        one.join(room)
        record(server, room, "started")
        time.sleep(CLOCK_ERROR_S)
        with StreamReader(server, room) as reader:
            one.send(astronaut_jpeg)
            wait_until(lambda: reader.named("sample"))
        for _ in range(FRAMES):
            one.send(astronaut_jpeg)
        with StreamReader(server, room, last_id=reader.events[-1].id) as later:
            one.send(astronaut_jpeg)
            wait_until(lambda: len(later.named("sample")) == FRAMES + 1)
    frames = [event.data["frame"] for event in (*reader.named("sample"), *later.named("sample"))]
    assert frames == list(range(FRAMES + 2))
    assert later.named("gap") == []


@pytest.mark.parametrize("last_id", ["0a0b0c0d-7", "nonsense", "-", "1", "x-" + "9" * 400])
def test_a_reader_whose_place_is_not_known_is_told_that_it_may_have_missed_something(
    server: Server, last_id: str
) -> None:
    room = make_room(server)
    with StreamReader(server, room, last_id=last_id) as reader:
        assert [event.data for event in reader.named("gap")] == [{"missed": None}]
        api(server, "DELETE", f"/rooms/{room}")
        reader.wait_for_end()  # which frees its place at once


def test_a_reader_sees_the_end_of_a_room_and_nothing_of_another(server: Server) -> None:
    closed, deleted = make_room(server), make_room(server)
    with StreamReader(server, closed) as first, StreamReader(server, deleted) as second:
        mark(server, closed, "here")
        api(server, "POST", f"/rooms/{closed}/close", {})
        api(server, "DELETE", f"/rooms/{deleted}")
        for reader in (first, second):
            reader.wait_for_end()
    assert [event.data["label"] for event in first.named("marker")] == ["here"]
    assert second.named("marker") == []
    assert (first.events[-1].data, second.events[-1].data) == ({"reason": "closed"}, {"reason": "deleted"})
    with StreamReader(server, closed, last_id=first.events[0].id) as again:
        again.wait_for_end()
    assert [event.name for event in again.events] == ["recording", "marker", "end"]
    never_read = make_room(server)
    api(server, "POST", f"/rooms/{never_read}/close", {})
    refused = api(server, "GET", f"/rooms/{never_read}/stream")
    assert (refused.status_code, code_of(refused.json())) == (409, "room_closed")


def test_nothing_of_somebody_who_withdrew_can_be_read_again(server: Server, astronaut_jpeg: bytes) -> None:
    room = make_room(server, participant_markers=True)
    with ParticipantClient(server) as one, StreamReader(server, room) as reader:
        one.join(room)
        record(server, room, "started")
        time.sleep(CLOCK_ERROR_S)
        one.send(astronaut_jpeg)
        one.ask("mark", {"label": "pressed"})
        wait_until(lambda: reader.named("marker"))
        one.ask("withdraw", {})
    with StreamReader(server, room, last_id=reader.events[0].id) as again:
        wait_until(lambda: again.named("recording"))
        mark(server, room, "everybody's")  # which a stream that does not wait would never let through
        wait_until(lambda: again.named("marker"))
    assert again.named("sample") == []
    assert [event.data["label"] for event in again.named("marker")] == ["everybody's"]


def test_a_stream_ends_when_its_key_is_deleted(server: Server) -> None:
    room, host = make_room(server), signed_in(server)
    with StreamReader(server, room, token=new_key(host, "Loop", "rooms:read")) as reader:
        delete_keys(host)
        reader.wait_for_end()
    assert reader.events[-1].data == {"reason": "signed_out"}


def test_readers_that_take_nothing_delay_nobody_and_those_that_vanish_make_room_for_others() -> None:
    """On a server of its own, where no reader of another test still has a place."""
    with ExitStack() as stack:
        server = stack.enter_context(Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN))
        room = make_room(server)
        silent = [stack.enter_context(silent_reader(server, room)) for _ in range(MAX_READERS - 1)]
        reader = stack.enter_context(StreamReader(server, room))
        refused = api(server, "GET", f"/rooms/{room}/stream")
        assert (refused.status_code, code_of(refused.json())) == (429, "too_many_attempts")
        before_kb = memory_kb(server)
        for _ in range(MARKERS):
            mark(server, room, LONG_LABEL)
        wait_until(lambda: len(reader.named("marker")) == MARKERS)
        assert memory_kb(server) - before_kb < MAX_GROWTH_KB
        for connection in silent:
            connection.close()  # without a word
        wait_until(lambda: _may_read(server, room), 10 * HEARTBEAT_S)


def _may_read(server: Server, room: str) -> bool:
    with requests.get(
        f"{server.url}/api/v1/rooms/{room}/stream",
        headers={"Authorization": f"Bearer {TOKEN}"},
        stream=True,
        timeout=TIMEOUT_S,
    ) as answer:
        return answer.status_code == 200
