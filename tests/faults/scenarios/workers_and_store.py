"""Workers and the store are killed and frozen under a crowd of participants who are recorded."""

from __future__ import annotations

from dataclasses import dataclass

from tests.bench.crowd import Crowd, Kept
from tests.faults.board import Board
from tests.faults.harm import Harm
from tests.faults.outcome import NOTHING, Outcome, at_least, at_most, none
from tests.helpers.load_client import Load
from tests.helpers.room_client import TOKEN, wait_until_stored
from tests.helpers.scenes import moving_faces
from tests.helpers.serving import Server
from tests.helpers.waiting import wait_until

CLIENTS = 20
WORKER_INTERVAL_S, STORE_INTERVAL_S = 2.0, 10.0

ANSWER_LIMIT_MS = 3000
MIN_RESULTS = 0.85

RECOVERY_TIMEOUT_S = 120.0
"""The store is restarted with pauses of up to 30 s when it dies again and again."""

PROMISE = (
    "Workers and the store may die or hang at any time: no connection closes, every frame gets an answer "
    "within 3 s, 85% of the frames get a result, and no frame with a result is lost or doubled in the "
    "recording."
)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What came of it: for the clients, in the export, and on the board."""

    load: Load
    kept: Kept
    board: Board
    rows: int


def run(
    seconds: float, min_results: float = MIN_RESULTS, answer_limit_ms: float = ANSWER_LIMIT_MS
) -> Outcome:
    """Kill or freeze a random worker every 2 s, and kill the store every 10 s, or once in a shorter run."""
    with Server(MIEN_HOST_TOKEN=TOKEN) as server:
        harm = Harm(server)
        seen = _record(server, harm, seconds)
    load = seen.load
    results = sum(load.analysed) / load.sent
    lost = seen.kept.missing + max(0, seen.board.stored - seen.rows)
    return Outcome(
        promise=PROMISE,
        done=f"{CLIENTS} clients sent {load.sent} frames in {load.plan.seconds:g} s; {harm.described()}",
        lost=f"{lost} samples" if lost else NOTHING,
        figures=(
            none("connections that ended, the board's too", load.closed + seen.board.closed),
            none("frames without an answer", load.unanswered),
            at_most("slowest answer, ms", load.slowest_ms, answer_limit_ms),
            at_least("frames with a result, of those sent", results, min_results),
            none("frames with a result that the export lacks", seen.kept.missing),
            none("samples that the board called stored and the export lacks", lost - seen.kept.missing),
            none("samples stored twice", seen.kept.twice),
            none("samples that the board called lost", seen.board.lost),
            at_least("workers killed or frozen, and stores killed", harm.done.total(), 2),
        ),
    )


def _record(server: Server, harm: Harm, seconds: float) -> _Seen:
    crowd = Crowd(server, moving_faces(), CLIENTS)
    crowd.record("started")
    with Board(server, crowd.room) as board:
        with harm.every(WORKER_INTERVAL_S, min(STORE_INTERVAL_S, seconds / 2)):
            load = crowd.send(seconds, {})
        wait_until(lambda: board.problem is None and board.waiting == 0, RECOVERY_TIMEOUT_S)
    crowd.record("stopped")
    crowd.expect(load)
    rows = wait_until_stored(server, crowd.room, board.stored)["samples"]["stored"]
    return _Seen(load, crowd.kept(), board, rows)
