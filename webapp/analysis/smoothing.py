"""Smooths probabilities: steady while a face is still, and without delay when it changes. Pure, no I/O.

Two filters in series. The first, `recent`, is the weighted mean of the raw probabilities in log space,
known as a logarithmic opinion pool (Genest and Zidek 1986, Statistical Science 1 (1), 114-135):

    recent = product of p_i ** (w_i / sum of w), normalized to the sum 1,

where p_i are the probabilities of frame i. Its weight w_i is its quality under exponential forgetting,

    w_i = quality_i * (1 - exp(-d_i / T)) * exp(-a_i / T),

where a_i is the age of the frame, d_i the time between it and the frame before (for the first frame of a
face: infinite), and T the time constant. So a clear frame outweighs blurred ones, and poor frames count
once the good ones are forgotten; with equal qualities this is an exponential moving average of the
logarithms. Only the mean so far and the sum of the weights, `evidence`, are kept from frame to frame.

The second filter, `shown`, is what people read: it ignores changes of `recent` smaller than DEADBAND, follows
larger ones at that distance (like backlash in a gear), and creeps towards `recent` in between.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from webapp.protocol import Probabilities

DEADBAND = 0.13
"""In total variation, half the sum of the absolute differences: 0 for equal probabilities, 1 at most."""

CREEP = 25.0
"""How many times slower than `recent` the shown probabilities move within the deadband."""

MIN_PROBABILITY = 1e-3
"""Smaller ones count as this in log space, so that no single frame can rule an expression out.

It is a quarter of a step of the network's output, which has 8 bits. 0.004 follows changes a little sooner,
but a face that is surely happy would be shown with 0.977.
"""


@dataclass(frozen=True, slots=True)
class SmoothedProbabilities:
    """The probabilities of one face over time; `evidence` is the sum of the weights in `recent`, above 0."""

    recent: Probabilities
    shown: Probabilities
    evidence: float

    @classmethod
    def first(cls, raw: Probabilities, quality: float) -> SmoothedProbabilities:
        """Those of a face that is seen for the first time, in a frame of this quality."""
        return cls(raw, raw, quality)

    def moved(
        self, raw: Probabilities, quality: float, elapsed_s: float, smoothing_s: float
    ) -> SmoothedProbabilities:
        """The probabilities after one more frame.

        Args:
            raw: those of the frame; they sum to 1, and so does the result.
            quality: how much the frame counts, above 0; see `quality.frame_quality`.
            elapsed_s: the time since the previous frame.
            smoothing_s: the time constant of `recent`; 0 turns smoothing off.
        """
        if smoothing_s == 0:
            return SmoothedProbabilities.first(raw, quality)
        weight = smoothing_weight(elapsed_s, smoothing_s)
        evidence = (1 - weight) * self.evidence + weight * quality
        recent = pooled(self.recent, raw, weight * quality / evidence)
        shown = followed(self.shown, recent, smoothing_weight(elapsed_s, CREEP * smoothing_s))
        return SmoothedProbabilities(recent, shown, evidence)


def smoothing_weight(elapsed_s: float, time_constant_s: float) -> float:
    """The weight of the new value in an exponential filter: 1 - exp(-elapsed / time constant)."""
    return 1.0 - math.exp(-elapsed_s / time_constant_s)


def pooled(old: Probabilities, new: Probabilities, weight: float) -> dict[str, float]:
    """The geometric mean, `new` weighted with `weight` and `old` with the rest, normalized to the sum 1."""
    kept = 1 - weight
    pool = {
        label: max(old[label], MIN_PROBABILITY) ** kept * max(value, MIN_PROBABILITY) ** weight
        for label, value in new.items()
    }
    total = sum(pool.values())
    return {label: value / total for label, value in pool.items()}


def followed(
    shown: Probabilities, recent: Probabilities, creep: float, deadband: float = DEADBAND
) -> Probabilities:
    """`shown` after `recent` moved: at most `deadband` from it, and nearer by the fraction `creep`."""
    apart = variation(shown, recent)
    near = mixed(shown, recent, 1 - deadband / apart) if apart > deadband else shown
    return mixed(near, recent, creep)


def mixed(old: Probabilities, new: Probabilities, weight: float) -> dict[str, float]:
    """The arithmetic mean, `new` weighted with `weight` and `old` with the rest; sums to 1 if both do."""
    return {label: old[label] + weight * (new[label] - old[label]) for label in new}


def variation(first: Probabilities, second: Probabilities) -> float:
    """The total variation distance of two distributions, 0 to 1."""
    return sum(abs(first[label] - second[label]) for label in first) / 2
