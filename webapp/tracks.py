"""Follows faces from one result to the next: steady ids and smoothed probabilities. Pure, no I/O."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from webapp.messages import Box, Face, Probabilities, with_probabilities

FORGET_AFTER_S = 1.0
"""How long an id waits for its face to come back."""

MATCH_DISTANCE = 0.6
"""A face may move this much between two results, in face widths, and keep its id."""


@dataclass(frozen=True, slots=True)
class Track:
    """A face that was seen: where, when (seconds on the server's clock) and with which probabilities.

    `box` is in widths of the picture.
    """

    id: int
    box: Box
    seen_s: float
    probabilities: Probabilities


class Tracks:
    """The faces of one camera. `smoothing_s` is the filter's time constant; 0 smooths nothing."""

    def __init__(self, smoothing_s: float) -> None:
        self._smoothing_s = smoothing_s
        self._tracks: list[Track] = []
        self._last_id = 0

    def follow(self, faces: Sequence[Face], now_s: float, picture_width: float = 1.0) -> tuple[Face, ...]:
        """Give each face the id that it had, or a new one, and its smoothed probabilities.

        Places are compared in widths of the picture, as a browser may send the next one in another size.
        `now_s` is when the picture arrived. The results of two workers may come in the wrong order: one
        that was overtaken gets its ids, but moves no probabilities.
        """
        known = [track for track in self._tracks if now_s - track.seen_s <= FORGET_AFTER_S]
        boxes = [Box(*(value / picture_width for value in face.box)) for face in faces]
        pairs = match([track.box for track in known], boxes)
        followed = [
            self._moved(known[pairs[index]], face, boxes[index], now_s)
            if index in pairs
            else self._new(face, boxes[index], now_s)
            for index, face in enumerate(faces)
        ]
        matched = set(pairs.values())
        lost = [track for index, track in enumerate(known) if index not in matched]
        self._tracks = followed + lost
        return tuple(
            with_probabilities(face, track.probabilities, track.id)
            for face, track in zip(faces, followed, strict=True)
        )

    def _moved(self, track: Track, face: Face, box: Box, now_s: float) -> Track:
        weight = new_weight(max(0.0, now_s - track.seen_s), self._smoothing_s)
        smooth = mixed(track.probabilities, face.raw_probabilities, weight)
        return Track(track.id, box, max(now_s, track.seen_s), smooth)

    def _new(self, face: Face, box: Box, now_s: float) -> Track:
        self._last_id += 1
        return Track(self._last_id, box, now_s, face.raw_probabilities)


def new_weight(elapsed_s: float, smoothing_s: float) -> float:
    """How much the new value counts in an exponential filter: 1 - exp(-elapsed / time constant)."""
    return 1.0 if smoothing_s == 0 else 1.0 - math.exp(-elapsed_s / smoothing_s)


def mixed(old: Probabilities, new: Probabilities, weight: float) -> dict[str, float]:
    """`new` weighted with `weight`, `old` with the rest; sums to 1 if both do."""
    return {label: old[label] + weight * (new[label] - old[label]) for label in new}


def match(before: Sequence[Box], after: Sequence[Box]) -> dict[int, int]:
    """Which box of `after` (key) is which of `before` (value), nearest pairs first.

    The distance is that of the centres plus the change of width, both in face widths. Greedy on purpose:
    with a handful of faces it differs from the best assignment only where two faces cover each other.
    """
    distances = sorted(
        (distance(before[old], after[new]), new, old)
        for old, new in product(range(len(before)), range(len(after)))
    )
    pairs: dict[int, int] = {}
    for apart, new, old in distances:
        if apart <= MATCH_DISTANCE and new not in pairs and old not in pairs.values():
            pairs[new] = old
    return pairs


def distance(first: Box, second: Box) -> float:
    """How far apart two boxes are: centres and widths, in units of their mean width."""
    width = max((first.width + second.width) / 2, sys.float_info.epsilon)
    across = first.x + first.width / 2 - second.x - second.width / 2
    down = first.y + first.height / 2 - second.y - second.height / 2
    return (math.hypot(across, down) + abs(first.width - second.width)) / width
