"""Probabilities relative to a person's own neutral face. Pure; docs/baseline.md says more.

The logits of a frame are the logarithms of its seven probabilities, which are the classifier's logits up to a
constant that softmax takes away again. A person's baseline is the mean of the logits over some seconds of
looking neutral; relative probabilities are the softmax of the logits minus the baseline.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

BASELINE_S = 5.0
MIN_FRAMES = 5
"""Fewer frames with exactly one face make no baseline."""

MIN_PROBABILITY = 1e-4
"""Smaller ones count as this: the logarithm of a tiny probability would outweigh all others."""

Vector = tuple[float, ...]


def logits(probabilities: Sequence[float]) -> Vector:
    """Log probabilities, bounded below by `MIN_PROBABILITY`."""
    return tuple(math.log(max(probability, MIN_PROBABILITY)) for probability in probabilities)


def softmax(values: Sequence[float]) -> Vector:
    """Probabilities that sum to 1."""
    highest = max(values)
    powers = [math.exp(value - highest) for value in values]
    return tuple(power / sum(powers) for power in powers)


def relative(probabilities: Sequence[float], baseline: Sequence[float]) -> Vector:
    """The probabilities relative to a baseline.

    A frame like the baseline gets the same probability for each of the seven.
    """
    shifted = [value - mean for value, mean in zip(logits(probabilities), baseline, strict=True)]
    return softmax(shifted)


class BaselineTaking:
    """The five seconds over which a person looks neutral; times are `time.monotonic` seconds.

    One thread at a time may call it: `Recorder` does so under the room's lock.
    """

    def __init__(self, now_s: float) -> None:
        self._until_s = now_s + BASELINE_S
        self._logits: list[Vector] = []

    def add(self, probabilities: Sequence[float]) -> None:
        """Take the plain probabilities of a frame with exactly one face."""
        self._logits.append(logits(probabilities))

    def is_over(self, now_s: float) -> bool:
        """Whether the five seconds are over."""
        return now_s >= self._until_s

    def mean(self) -> Vector | None:
        """The baseline, or None if a face was seen too seldom."""
        if len(self._logits) < MIN_FRAMES:
            return None
        return tuple(sum(values) / len(values) for values in zip(*self._logits, strict=True))
