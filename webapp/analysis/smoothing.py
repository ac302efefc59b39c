"""Smooths probabilities: steady while a face is still, and without delay when it changes. Pure, no I/O.

Two filters in series. The first, `recent`, is an exponential moving average of the raw probabilities. The
second, `shown`, is what people read: it ignores changes of `recent` smaller than DEADBAND, follows larger
ones at that distance (like backlash in a gear), and creeps towards `recent` in between.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from webapp.protocol import Probabilities

DEADBAND = 0.15
"""In total variation, half the sum of the absolute differences: 0 for equal probabilities, 1 at most."""

CREEP = 25.0
"""How many times slower than `recent` the shown probabilities move within the deadband."""


@dataclass(frozen=True, slots=True)
class SmoothedProbabilities:
    """The probabilities of one face over time."""

    recent: Probabilities
    shown: Probabilities

    @classmethod
    def first(cls, raw: Probabilities) -> SmoothedProbabilities:
        """Those of a face that is seen for the first time."""
        return cls(raw, raw)

    def moved(self, raw: Probabilities, elapsed_s: float, smoothing_s: float) -> SmoothedProbabilities:
        """The probabilities after one more frame.

        Args:
            raw: those of the frame; they sum to 1, and so does the result.
            elapsed_s: the time since the previous frame.
            smoothing_s: the time constant of `recent`; 0 turns smoothing off.
        """
        if smoothing_s == 0:
            return SmoothedProbabilities(raw, raw)
        recent = mixed(self.recent, raw, smoothing_weight(elapsed_s, smoothing_s))
        apart = variation(self.shown, recent)
        shown = mixed(self.shown, recent, 1 - DEADBAND / apart) if apart > DEADBAND else self.shown
        return SmoothedProbabilities(
            recent, mixed(shown, recent, smoothing_weight(elapsed_s, CREEP * smoothing_s))
        )


def smoothing_weight(elapsed_s: float, time_constant_s: float) -> float:
    """The weight of the new value in an exponential filter: 1 - exp(-elapsed / time constant)."""
    return 1.0 - math.exp(-elapsed_s / time_constant_s)


def mixed(old: Probabilities, new: Probabilities, weight: float) -> dict[str, float]:
    """`new` weighted with `weight`, `old` with the rest; sums to 1 if both do."""
    return {label: old[label] + weight * (new[label] - old[label]) for label in new}


def variation(first: Probabilities, second: Probabilities) -> float:
    """The total variation distance of two distributions, 0 to 1."""
    return sum(abs(first[label] - second[label]) for label in first) / 2
