"""Workers and the store are killed and frozen under a crowd of participants who are recorded."""

from __future__ import annotations

import time

from tests.faults.board import Board
from tests.faults.harm import Harm
from tests.faults.outcome import Outcome, at_least
from tests.faults.recording import PROMISED, Limits, record
from tests.helpers.room_client import TOKEN
from tests.helpers.serving import Server
from tests.helpers.waiting import wait_until

CLIENTS = 20
WORKER_INTERVAL_S, STORE_INTERVAL_S = 2.0, 10.0

BEGIN_TIMEOUT_S = 60.0
"""Nobody can join while the store is away, so everybody is there before it is killed."""

PROMISE = (
    "Workers and the store may die or hang at any time: no connection closes, every frame gets an answer "
    "within 3 s, 85% of the frames get a result, and no frame with a result is lost or doubled in the "
    "recording."
)


def run(seconds: float, limits: Limits = PROMISED) -> Outcome:
    """Kill or freeze a random worker every 2 s, and kill the store every 10 s, or once in a shorter run."""
    with Server(MIEN_HOST_TOKEN=TOKEN) as server:
        harm = Harm(server)

        def harm_all(board: Board) -> None:
            wait_until(lambda: board.stored > 0, BEGIN_TIMEOUT_S)
            with harm.every(WORKER_INTERVAL_S, min(STORE_INTERVAL_S, seconds / 2)):
                time.sleep(seconds)

        recorded = record(server, CLIENTS, seconds, harm_all)
    load = recorded.load
    return Outcome(
        promise=PROMISE,
        done=f"{CLIENTS} clients sent {load.sent} frames in {load.plan.seconds:g} s; {harm.described()}",
        lost=recorded.lost_in_words,
        figures=(
            *recorded.figures(limits),
            recorded.share_of_results(limits),
            at_least("workers killed or frozen, and stores killed", harm.done.total(), 2),
        ),
    )
