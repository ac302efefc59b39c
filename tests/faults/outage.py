"""Something that a server needs is gone for a while, and comes back, while participants are recorded."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.bench.report import Goal
from tests.faults.board import Board
from tests.faults.outcome import Outcome, at_least
from tests.faults.recording import Limits, Recorded, record
from tests.helpers.serving import Server
from tests.helpers.waiting import wait_until

PARTICIPANTS = 4

BEGIN_TIMEOUT_S = 60.0
NOTICE_TIMEOUT_S = 60.0
"""A database that hangs is noticed after 17 s, one that is gone at once."""


class Outage:
    """`begin` takes something away, `end` gives it back; what happened in between is kept.

    `said` is what the board said of it, `waited` how many samples waited at the most.
    """

    def __init__(self, begin: Callable[[], object], end: Callable[[], object], seconds: float) -> None:
        self._begin, self._end = begin, end
        self._seconds = seconds
        self.said = ""
        self.waited = 0
        self.lasted_s = 0.0

    def happen(self, board: Board) -> None:
        """Begin when samples are being stored, and last for `seconds`, and until the board has said why."""
        wait_until(lambda: board.stored > 0, BEGIN_TIMEOUT_S)
        start_s = time.monotonic()
        self._begin()
        try:
            wait_until(lambda: board.problem, NOTICE_TIMEOUT_S)
            self.said = board.problem or ""
            while time.monotonic() - start_s < self._seconds:
                self.waited = max(self.waited, board.waiting)
                time.sleep(0.1)
            self.waited = max(self.waited, board.waiting)
        finally:
            self._end()
            self.lasted_s = time.monotonic() - start_s


def outcome_of(
    server: Server, outage: Outage, seconds: float, promise: str, what: str, limits: Limits
) -> Outcome:
    """Record participants through an outage of the store's; `what` names it, as in "the disk was full"."""
    recorded = record(server, PARTICIPANTS, seconds, outage.happen)
    return Outcome(
        promise=promise,
        done=f"{what} for {outage.lasted_s:.0f} s while {_people(recorded)}; {outage.waited} samples waited",
        lost=recorded.lost_in_words,
        figures=(*recorded.figures(limits), recorded.undisturbed(), *waiting_figures(outage, recorded)),
    )


def waiting_figures(outage: Outage, recorded: Recorded) -> tuple[Goal, ...]:
    """That samples did wait, that the board said why, and that they were stored."""
    return (
        at_least("samples that waited", outage.waited, 1),
        at_least("the board said why samples wait", bool(outage.said), 1),
        at_least("samples stored in the end, beyond those that waited", recorded.rows - outage.waited, 1),
    )


def _people(recorded: Recorded) -> str:
    return f"{PARTICIPANTS} participants sent {recorded.load.sent} frames"
