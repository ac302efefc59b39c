"""Frames that came at uneven times, as samples at a fixed rate.

A sample is the mean of the frames of its interval, which is centered on its time. Where no frame lies in an
interval, as when a camera gives fewer frames than the rate, values are interpolated linearly between the
neighbours, if these are at most `MAX_GAP_S` apart and no frame without a face lies between them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

RATE_HZ = 10
MAX_GAP_S = 0.5

Values = Sequence[float]


class Resampler:
    """Takes one participant's frames in the order of time, and gives each sample once; one thread uses it."""

    def __init__(self, span_s: float, rate_hz: int = RATE_HZ) -> None:
        self._rate_hz = rate_hz
        self._count = int(span_s * rate_hz) + 1
        self._done = 0
        self._index = 0
        self._frames = 0
        self._held: list[Values] = []
        self._last: tuple[int, Values] | None = None

    def add(self, at_s: float, values: Values | None) -> Iterator[list[float | None]]:
        """Take a frame, whose `values` are None where no face was found; gives the samples before it.

        A sample has the share of its frames with a face, None without any, and the values.
        """
        index = min(max(round(at_s * self._rate_hz), 0), self._count - 1)
        if index > self._index:
            yield from self._complete()
            self._index = index
        self._frames += 1
        if values is not None:
            self._held.append(values)

    def finish(self, width: int) -> Iterator[list[float | None]]:
        """The samples up to the end; each has `width` values."""
        yield from self._complete()
        missing: list[float | None] = [None] * (width + 1)
        yield from (missing for _ in range(self._done, self._count))

    def _complete(self) -> Iterator[list[float | None]]:
        """The samples up to the interval of which all frames were taken."""
        if not self._frames:
            return
        share = len(self._held) / self._frames
        if self._held:
            means = [sum(column) / len(self._held) for column in zip(*self._held, strict=True)]
            yield from self._between(means)
            yield [share, *means]
            self._last = (self._index, means)
        else:
            yield from self._gap()
            yield [share]
            self._last = None
        self._done = self._index + 1
        self._frames, self._held = 0, []

    def _between(self, means: Values) -> Iterator[list[float | None]]:
        if self._last is None or self._index - self._last[0] > MAX_GAP_S * self._rate_hz:
            yield from self._gap()
            return
        first, before = self._last
        for index in range(self._done, self._index):
            part = (index - first) / (self._index - first)
            yield [None, *(low + part * (high - low) for low, high in zip(before, means, strict=True))]

    def _gap(self) -> Iterator[list[float | None]]:
        yield from ([] for _ in range(self._done, self._index))
