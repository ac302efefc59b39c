"""What came of a fault: what Mien promises, what was done to it, what was lost, and the figures."""

from __future__ import annotations

from dataclasses import dataclass

from tests.bench.report import Goal

NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A fault that was tried.

    `promise` is what docs/reliability.md says, in one sentence; `done` says what was done, with its numbers,
    and `lost` what that cost. The promise is kept if all figures reach their limits.
    """

    promise: str
    done: str
    lost: str
    figures: tuple[Goal, ...]

    @property
    def kept(self) -> bool:
        """Whether the promise was kept."""
        return all(figure.reached for figure in self.figures)

    def explained(self) -> str:
        """All of it as text, for the message of a failed test."""
        lines = [f"promised: {self.promise}", f"done: {self.done}", f"lost: {self.lost}"]
        return "\n".join(["", *lines, *map(explained, self.figures)])


def explained(figure: Goal) -> str:
    """A figure, its limit, and whether that is enough."""
    return f"{'kept' if figure.reached else 'BROKEN'}: {figure.name}: {figure.got:g} ({limit_of(figure)})"


def limit_of(figure: Goal) -> str:
    """What a figure has to be."""
    return f"{'at most' if figure.at_most else 'at least'} {figure.limit:g}"


def at_most(name: str, got: float, limit: float) -> Goal:
    """A figure that must not be greater than a limit."""
    return Goal(name, got, limit, at_most=True)


def at_least(name: str, got: float, limit: float) -> Goal:
    """A figure that must not be less than a limit."""
    return Goal(name, got, limit)


def none(name: str, got: float) -> Goal:
    """A count that must be zero."""
    return at_most(name, got, 0)


def check(outcome: Outcome) -> None:
    """Let a test fail with all that is known.

    Raises:
        AssertionError: the promise was broken.
    """
    assert outcome.kept, outcome.explained()
