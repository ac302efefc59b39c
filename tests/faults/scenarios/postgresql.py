"""PostgreSQL is stopped, or hangs, while participants are recorded into it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from tests.faults.outcome import NOTHING, Outcome, at_least, at_most, none
from tests.faults.returning import ReturningBoard, ReturningParticipant, missing_of
from tests.helpers.postgres import Postgres, find_postgres, running_postgres
from tests.helpers.room_client import TOKEN, ParticipantClient, api, export, make_room, rows
from tests.helpers.scenes import moving_faces
from tests.helpers.serving import Server
from tests.helpers.waiting import wait_until

PARTICIPANTS, RATE_PER_S = 3, 5.0
BACK_LIMIT_S = 20.0
RECOVERY_TIMEOUT_S = 240.0

PROMISE = (
    "While PostgreSQL {state}, the live page goes on. A room goes on for as long as its lease, some seconds; "
    "then its participants are told to come back, and do within 20 s of its return. Every frame with a "
    "result is stored, once."
)


def run_stopped(seconds: float, slower: float = 1.0) -> Outcome:
    """Stop it at once, as a crash would, for so many seconds."""
    return _run(seconds, slower, "is gone", Postgres.stop, Postgres.start)


def run_frozen(seconds: float, slower: float = 1.0) -> Outcome:
    """Freeze all its processes, so that it takes connections and never answers, for so many seconds."""
    return _run(seconds, slower, "hangs", Postgres.freeze, Postgres.thaw)


def _run(
    seconds: float,
    slower: float,
    state: str,
    begin: Callable[[Postgres], None],
    end: Callable[[Postgres], None],
) -> Outcome:
    programs = find_postgres()
    if programs is None:
        pytest.skip("no PostgreSQL is installed")
    with (
        running_postgres(programs) as postgres,
        Server(MIEN_HOST_TOKEN=TOKEN, MIEN_DATABASE_URL=postgres.url) as server,
    ):
        wait_until(lambda: api(server, "GET", "/rooms").ok, RECOVERY_TIMEOUT_S)  # the tables are made
        crowd = _Crowd(server)
        with crowd.there, ParticipantClient(server) as outside:
            crowd.wait_for_results()
            begin(postgres)
            try:
                live = _look_for(outside, seconds)
            finally:
                end(postgres)
            start_s = time.monotonic()
            crowd.wait_for_results()
            back_s = time.monotonic() - start_s
        samples = crowd.samples()
    missing = missing_of(crowd.people, samples)
    faces = Counter((row["participant"], row["captured"], row["face_id"]) for row in samples)
    changed = sum(len(set(one.identities)) != 1 for one in crowd.people)
    return Outcome(
        promise=PROMISE.format(state=state),
        done=f"PostgreSQL {state} for {seconds:g} s; {PARTICIPANTS} participants were recorded",
        lost=f"{missing} samples" if missing else NOTHING,
        figures=(
            at_least("frames of the live page meanwhile with a result", live, 1),
            at_most("participants back, with a result, after, s", back_s, slower * BACK_LIMIT_S),
            none("participants who became another", changed),
            none("frames with a result that the export lacks", missing),
            none(
                "samples that the board called stored and the export lacks", crowd.board.stored - len(samples)
            ),
            none("samples stored twice", faces.total() - len(faces)),
        ),
    )


class _Crowd:
    """Participants of a room that is recorded, and its board."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._room = make_room(server)
        assert api(server, "POST", f"/rooms/{self._room}/recording", {"state": "started"}).ok
        images = moving_faces(count=PARTICIPANTS)
        self.board = ReturningBoard(server.url, self._room)
        self.people = [ReturningParticipant(server.url, self._room, image, RATE_PER_S) for image in images]
        self.there = ExitStack()
        for one in (self.board, *self.people):
            self.there.enter_context(one)

    def wait_for_results(self) -> None:
        """Wait until everybody has had more frames analyzed."""
        had = [(one, len(one.results)) for one in self.people]
        wait_until(lambda: all(len(one.results) > count for one, count in had), RECOVERY_TIMEOUT_S)

    def samples(self) -> list[dict[str, str]]:
        """The samples of the export, once nothing waits."""
        path = f"/rooms/{self._room}"
        wait_until(
            lambda: not api(self._server, "GET", path).json()["samples"]["waiting"], RECOVERY_TIMEOUT_S
        )
        return rows(export(self._server, self._room)["samples.csv"])


def _look_for(outside: ParticipantClient, seconds: float) -> int:
    """Send frames outside rooms for so long; how many got a result."""
    (image,) = moving_faces(count=1)
    found, end_s = 0, time.monotonic() + seconds
    while time.monotonic() < end_s:
        found += "faces" in outside.send(image)
        time.sleep(0.2)
    return found
