"""Floods of connections: idle ones, slow ones, and as many as one address can open."""

from __future__ import annotations

from tests.bench.bench_attacks import flood_outcome
from tests.faults.outcome import Outcome
from tests.helpers.floods import FLOODS


def run(seconds: float) -> Outcome:
    """Each flood in full, in turns of so many seconds with and without it."""
    outcomes = [flood_outcome(name, seconds) for name in FLOODS]
    return Outcome(
        promise=outcomes[0].promise,
        done="; ".join(one.done for one in outcomes),
        lost="; ".join(one.lost for one in outcomes),
        figures=tuple(figure for one in outcomes for figure in one.figures),
    )
