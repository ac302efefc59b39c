"""Participants who are recorded while something is done to the server, and what became of their samples."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from tests.bench.crowd import Crowd, Kept
from tests.bench.report import Goal
from tests.faults.board import Board
from tests.faults.outcome import NOTHING, at_least, at_most, none
from tests.helpers.load_client import Load
from tests.helpers.room_client import wait_until_stored
from tests.helpers.scenes import moving_faces
from tests.helpers.serving import Server
from tests.helpers.waiting import wait_until

ANSWER_LIMIT_MS = 3000.0

RECOVERY_TIMEOUT_S = 150.0
"""A database that came back is asked again after 30 s at most; the rest is for a busy machine."""

Harm = Callable[[Board], None]
"""What is done to the server; the board tells it when the recording is under way, and pauses."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the machine has to be fast enough for; tests of the short forms ask for less."""

    results: float = 0.85
    answer_ms: float = ANSWER_LIMIT_MS


PROMISED = Limits()
"""For `make faults`."""

SLOW_MACHINE = Limits(results=0.01, answer_ms=30_000.0)
"""For tests: how many frames get a result, and how soon, depends on what else the machine does."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What came of it: for the participants, in the export, and on the board.

    A sample is *acknowledged* if the board called it stored. More is checked: each frame that was answered
    with a result has to be in the export, once.
    """

    load: Load
    kept: Kept
    board: Board
    rows: int

    @property
    def lost(self) -> int:
        """Frames with a result, or samples that the board called stored, that the export lacks."""
        return max(self.kept.missing, self.board.stored - self.rows, self.board.lost)

    @property
    def lost_in_words(self) -> str:
        """The same for the report, with the frames that were refused."""
        refused = sum(self.load.problems.values())
        samples = f"{self.lost} samples" if self.lost else NOTHING
        return f"{samples}; {refused} of {self.load.sent} frames were answered without a result"

    def share_of_results(self, limits: Limits) -> Goal:
        """For faults of that which analyzes frames."""
        share = sum(self.load.analysed) / self.load.sent
        return at_least("frames with a result, of those sent", share, limits.results)

    def undisturbed(self) -> Goal:
        """For all other faults; `busy` is said of what the machine cannot carry anyway."""
        others = sum(count for code, count in self.load.problems.items() if code != "busy")
        return none("frames refused for another reason than `busy`", others)

    def figures(self, limits: Limits) -> tuple[Goal, ...]:
        """What holds under every fault."""
        load = self.load
        return (
            none("connections that ended, the board's too", load.closed + self.board.closed),
            none("frames without an answer", load.unanswered),
            at_most("slowest answer, ms", load.slowest_ms, limits.answer_ms),
            none("frames with a result that the export lacks", self.kept.missing),
            none("samples that the board called stored and the export lacks", self.board.stored - self.rows),
            none("samples stored twice", self.kept.twice),
            none("samples that the board called lost", self.board.lost),
        )


def record(server: Server, participants: int, seconds: float, harm: Harm) -> Recorded:
    """Record participants for so long while harm is done, then wait until all that waits is stored."""
    crowd = Crowd(server, moving_faces(), participants)
    crowd.record("started")
    with Board(server, crowd.room) as board:
        harming = threading.Thread(target=harm, args=(board,))
        harming.start()
        try:
            load = crowd.send(seconds, {})
        finally:
            harming.join()
        wait_until(lambda: board.problem is None and board.waiting == 0, RECOVERY_TIMEOUT_S)
    crowd.record("stopped")
    crowd.expect(load)
    stored = wait_until_stored(server, crowd.room, board.stored)["samples"]["stored"]
    return Recorded(load, crowd.kept(), board, stored)
