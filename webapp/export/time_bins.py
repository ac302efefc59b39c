"""Means over stretches of time of a recording whose length is not known before its end.

    bins = TimeBins(values=8)
    bins.add("face 1", t=3.2, values=[...])
    bins.means("face 1", value=0)       # one mean for each stretch, None where there is none

There are at most MAX_BINS stretches, all equally long. When a time lies behind the last one, each two
neighbours become one. So memory is bounded by the number of keys, however long the recording is.
"""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Sequence

MAX_BINS = 240
"""An even number."""

FIRST_WIDTH_S = 0.25


class TimeBins:
    """Sums by key, stretch and value; one thread uses it."""

    def __init__(self, values: int) -> None:
        self.width_s = FIRST_WIDTH_S
        self.end_s = 0.0
        self._values = values
        self._sums: dict[Hashable, list[array[float]]] = {}
        self._counts: dict[Hashable, array[int]] = {}

    @property
    def count(self) -> int:
        """How many stretches there are up to the last time."""
        return min(MAX_BINS, int(self.end_s / self.width_s) + 1)

    def add(self, key: Hashable, t: float, values: Sequence[float]) -> None:
        """Take values of a time, in seconds from 0."""
        self.reach(t)
        if key not in self._sums:
            self._sums[key] = [array("d", bytes(8 * MAX_BINS)) for _ in range(self._values)]
            self._counts[key] = array("q", bytes(8 * MAX_BINS))
        index = int(t / self.width_s)
        for sums, value in zip(self._sums[key], values, strict=True):
            sums[index] += value
        self._counts[key][index] += 1

    def reach(self, t: float) -> None:
        """The recording lasts at least until then."""
        self.end_s = max(self.end_s, t)
        while t >= MAX_BINS * self.width_s:
            self._halve()

    def means(self, key: Hashable, value: int) -> list[float | None]:
        """The mean of a value in each stretch, None where the key has none."""
        sums, counts = self._sums[key][value], self._counts[key]
        return [sums[at] / counts[at] if counts[at] else None for at in range(self.count)]

    def mean(self, key: Hashable, value: int) -> float:
        """The mean of a value over the whole time of a key."""
        return sum(self._sums[key][value]) / sum(self._counts[key])

    def _halve(self) -> None:
        self.width_s *= 2
        for sums in self._sums.values():
            sums[:] = [array("d", _paired(one)) for one in sums]
        for key, counts in self._counts.items():
            self._counts[key] = array("q", map(int, _paired(counts)))


def _paired(numbers: Sequence[float]) -> list[float]:
    """The sums of each two neighbours, then zeros."""
    pairs = [numbers[at] + numbers[at + 1] for at in range(0, MAX_BINS, 2)]
    return pairs + [0.0] * (MAX_BINS // 2)
