"""A database that fails pauses the recording loudly, and never disturbs the live view."""

from __future__ import annotations

import resource
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.helpers.nodes import MovingParticipant, Node
from tests.helpers.postgres import Postgres, find_postgres, running_postgres
from tests.helpers.room_client import TOKEN, Answer, ParticipantClient, api, export, make_room, rows
from tests.helpers.serving import Server
from tests.helpers.waiting import wait_until

FULL_AT_BYTES = 400_000
FRAMES_PER_S = 10.0

SLOW_S = 300.0
"""Generous: it only decides how soon a failure is known."""


def record_until(
    server: Server,
    room: str,
    one: ParticipantClient,
    jpeg: bytes,
    done: Callable[[Answer], bool],
    limit_s: float = SLOW_S,
) -> tuple[int, Answer]:
    """Send frames until the room's state fits; how many were analysed, and that state."""
    sent, end_s = 0, time.time() + limit_s
    while time.time() < end_s:
        for _ in range(10):
            assert one.send(jpeg)["faces"], "the live view goes on"
            sent += 1
        state = api(server, "GET", f"/rooms/{room}").json()["recording"]
        if done(state):
            return sent, state
    raise AssertionError(f"not in time: {state}")


def has_problem(state: Answer) -> bool:
    return state["problem"] is not None


def recovered(samples: int) -> Callable[[Answer], bool]:
    """Whether more than so many samples are stored, and writing works."""
    return lambda state: not has_problem(state) and state["stored"] > samples


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    programs = find_postgres()
    if programs is None:
        pytest.skip("no PostgreSQL is installed")
    with running_postgres(programs) as running:
        yield running


def test_a_lost_postgresql_pauses_the_recording_and_nothing_is_lost(
    postgres: Postgres, astronaut_jpeg: bytes, tmp_path: Path
) -> None:
    """Where that takes longer than a lease, as on a busy machine, the participant has to come back."""
    with Node("a", postgres.url, tmp_path) as server:
        room = make_room(server)

        def fits(done: Callable[[Answer], bool]) -> bool:
            answer = api(server, "GET", f"/rooms/{room}")
            return answer.ok and done(answer.json()["recording"])

        api(server, "POST", f"/rooms/{room}/recording", {"state": "started"})
        one = MovingParticipant([server], room, astronaut_jpeg, FRAMES_PER_S).start()
        wait_until(lambda: fits(recovered(10)), SLOW_S)
        postgres.stop()
        had = one.results
        wait_until(lambda: one.results > had)  # the live view goes on
        wait_until(lambda: fits(lambda state: has_problem(state) and state["state"] == "started"))
        had = one.results
        postgres.start()
        wait_until(lambda: one.results > had and fits(recovered(had)), SLOW_S)
        one.stop()
        samples = rows(export(server, room)["samples.csv"])
        assert [int(row["frame"]) for row in samples] == list(range(len(samples)))
        assert len(samples) >= one.results
        (participant,) = one.ids
        assert api(server, "DELETE", f"/rooms/{room}/participants/{participant}").ok
        assert rows(export(server, room)["samples.csv"]) == []


def test_a_full_disk_pauses_the_recording_and_the_live_view_goes_on(
    astronaut_jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file of the server may grow over a limit, which a database feels as it does a full disk."""
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN) as server:
        room = make_room(server)
        with ParticipantClient(server) as one:
            one.join(room)
            api(server, "POST", f"/rooms/{room}/recording", {"state": "started"})
            unlimited = resource.prlimit(server.store_pid(), resource.RLIMIT_FSIZE)
            resource.prlimit(server.store_pid(), resource.RLIMIT_FSIZE, (FULL_AT_BYTES, unlimited[1]))
            sent, state = record_until(server, room, one, astronaut_jpeg, has_problem)
            assert state["waiting"] > 0 and state["lost"] == 0
            resource.prlimit(server.store_pid(), resource.RLIMIT_FSIZE, unlimited)
            more, _ = record_until(server, room, one, astronaut_jpeg, recovered(sent))
        samples = rows(export(server, room)["samples.csv"])
        assert [int(row["frame"]) for row in samples] == list(range(sent + more))


def test_without_its_database_the_live_page_works_and_rooms_say_why(astronaut_jpeg: bytes) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"postgresql://mien@127.0.0.1:{nobody.getsockname()[1]}/mien"
        with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN, MIEN_DATABASE_URL=url) as server:
            with ParticipantClient(server) as one:
                assert one.send(astronaut_jpeg)["faces"]
            answer = api(server, "GET", "/rooms")
            assert (answer.status_code, answer.json()["problem"]["code"]) == (503, "store_unavailable")
