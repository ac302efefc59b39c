"""Tracks faces from one frame to the next: predicted regions, stable ids, smoothed probabilities.

Positions are in widths of the image, as a browser may send the next one in another size.
"""

from __future__ import annotations

import math
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

from webapp.analysis.quality import frame_quality
from webapp.analysis.smoothing import SmoothedProbabilities, smoothing_weight
from webapp.protocol import Box, Face, Region, with_probabilities

FORGET_AFTER_S = 1.0
"""How long the track of a face that was not found stays alive."""

STALL_TIMEOUT_S = 3.0
"""How long it stays alive while no frame arrives at all, as on an overloaded machine."""

MATCH_DISTANCE = 0.6
"""A face may be this far from its prediction, in face widths, and keep its id."""

COVER_DISTANCE = 1.2
"""A lost face is taken to be behind another one whose center is nearer than this, in face widths."""

COVERED_TIMEOUT_S = 3.0
"""How long a track stays alive at most while another face covers its own."""

COVERED_MATCH_DISTANCE, WANDER_PER_S = 1.0, 1.0
"""The same for a face that comes out from behind another one, whatever its width, as half of it may be found
as a small one; and how much it grows in a second, as nobody sees where a hidden face goes."""

VELOCITY_S = 0.1
"""The time constant of the measured velocity."""

MAX_FORECAST_S = 0.3
"""A face is predicted to keep its velocity for this long, then to stop."""


@dataclass(frozen=True, slots=True)
class Track:
    """A face as last seen: where, when (seconds on the server's clock) and with which probabilities.

    `velocity` is in widths of the image per second. A `lost` face was not found in the newest frame: its
    region is no longer sent to workers, but it keeps its id while the track is alive. `covered_s` is when
    another face was last seen before a lost one. `unsought_s` is the time of the newest frame that went to a
    worker before this face was found, and so cannot tell that it is gone.
    """

    id: int
    box: Box
    region: Region
    seen_s: float
    smoothed: SmoothedProbabilities
    velocity: tuple[float, float] = (0.0, 0.0)
    lost: bool = False
    covered_s: float = -math.inf
    unsought_s: float = -math.inf

    def is_alive(self, now_s: float) -> bool:
        """Whether a face may still be matched to this track."""
        if not self.lost:
            return now_s - self.seen_s <= STALL_TIMEOUT_S
        is_recent = now_s - max(self.seen_s, self.covered_s) <= FORGET_AFTER_S
        return is_recent and now_s - self.seen_s <= COVERED_TIMEOUT_S

    def mismatch(self, box: Box, now_s: float) -> float:
        """How far a box is from the one predicted for that time, over how far it may be: 1 at most."""
        expected = self.predicted_box(now_s)
        if self.covered_s <= self.seen_s:
            return distance(expected, box) / MATCH_DISTANCE
        reach = COVERED_MATCH_DISTANCE + WANDER_PER_S * (now_s - self.seen_s)
        return _center_distance(expected, box) / reach

    def predicted_box(self, now_s: float) -> Box:
        """Where the box is expected at that time."""
        across, down = self._way(now_s)
        x, y, width, height = self.box
        return Box(x + across, y + down, width, height)

    def predicted_region(self, now_s: float) -> Region:
        """Where the region is expected at that time."""
        across, down = self._way(now_s)
        x, y, size, roll = self.region
        return Region(x + across, y + down, size, roll)

    def _way(self, now_s: float) -> tuple[float, float]:
        """How far the face is expected to have gone by then, across and down."""
        ahead_s = min(max(0.0, now_s - self.seen_s), MAX_FORECAST_S)
        return self.velocity[0] * ahead_s, self.velocity[1] * ahead_s


class Tracker:
    """The faces of one camera; any thread may call it at any time.

    `smoothing_s` is the time constant of the probabilities; it may be changed.
    """

    def __init__(self, smoothing_s: float) -> None:
        self._lock = threading.Lock()
        self.smoothing_s = smoothing_s
        self._tracks: list[Track] = []
        self._last_id = 0
        self._newest_s = self._newest_job_s = float("-inf")

    def regions(self, now_s: float) -> tuple[Region, ...]:
        """The predicted regions of the faces in the newest result, in widths of the image, for a new job."""
        with self._lock:
            self._newest_job_s = max(now_s, self._newest_job_s)
            tracks = self._tracks
        return tuple(
            track.predicted_region(now_s) for track in tracks if not track.lost and track.is_alive(now_s)
        )

    def update(self, faces: Sequence[Face], now_s: float, image_width: float = 1.0) -> tuple[Face, ...]:
        """Give each face its id, old or new, and its smoothed probabilities.

        `now_s` is when the frame arrived. The results of two workers may arrive out of order: an overtaken
        one gets its ids, but moves no track.
        """
        seen = [_scaled(face, 1 / image_width) for face in faces]
        with self._lock:
            tracks = self._update(seen, now_s)
        return tuple(
            with_probabilities(face, track.smoothed.shown, track.id)
            for face, track in zip(faces, tracks, strict=True)
        )

    def _update(self, seen: Sequence[Face], now_s: float) -> list[Track]:
        """The tracks of these faces, in their order; the lock is held."""
        known = [track for track in self._tracks if track.is_alive(now_s)]
        pairs = match(known, [face.box for face in seen], now_s)
        tracks = [
            self._moved(known[pairs[index]], face, now_s) if index in pairs else self._new(face, now_s)
            for index, face in enumerate(seen)
        ]
        others = [track for index, track in enumerate(known) if index not in set(pairs.values())]
        if now_s >= self._newest_s:
            others = [_missed(track, tracks, now_s) for track in others]
            self._newest_s = now_s
        self._tracks = tracks + others
        return tracks

    def _moved(self, track: Track, face: Face, now_s: float) -> Track:
        elapsed_s = now_s - track.seen_s
        if elapsed_s < 0:
            return track
        quality = frame_quality(face.score)
        smoothed = track.smoothed.moved(face.raw_probabilities, quality, elapsed_s, self.smoothing_s)
        velocity = _velocity(track, face.box, elapsed_s)
        unsought_s = self._newest_job_s if track.lost else track.unsought_s
        return Track(track.id, face.box, face.region, now_s, smoothed, velocity, unsought_s=unsought_s)

    def _new(self, face: Face, now_s: float) -> Track:
        self._last_id += 1
        first = SmoothedProbabilities.first(face.raw_probabilities, frame_quality(face.score))
        return Track(self._last_id, face.box, face.region, now_s, first, unsought_s=self._newest_job_s)


def _scaled(face: Face, factor: float) -> Face:
    box = Box(*(value * factor for value in face.box))
    return replace(face, box=box, region=face.region.scaled(factor))


def _velocity(track: Track, box: Box, elapsed_s: float) -> tuple[float, float]:
    """The track's velocity, smoothed towards that of the new box; unchanged if no time has passed."""
    if elapsed_s == 0:
        return track.velocity
    weight = smoothing_weight(elapsed_s, VELOCITY_S)
    (old_x, old_y), (new_x, new_y) = track.box.center, box.center
    across, down = track.velocity
    return (
        across + weight * ((new_x - old_x) / elapsed_s - across),
        down + weight * ((new_y - old_y) / elapsed_s - down),
    )


def _missed(track: Track, seen: Sequence[Track], now_s: float) -> Track:
    """The track of a face that was not found, perhaps as one of the faces seen is before it."""
    if now_s <= track.unsought_s:
        return track
    box = track.predicted_box(now_s)
    is_covered = any(_center_distance(box, other.box) <= COVER_DISTANCE for other in seen)
    return replace(track, lost=True, covered_s=now_s if is_covered else track.covered_s)


def match(tracks: Sequence[Track], boxes: Sequence[Box], now_s: float) -> dict[int, int]:
    """Which box (key) shows the face of which track (value), nearest pairs first.

    Tracks of the newest frame come before those that are lost, so that none loses its face to them. Greedy on
    purpose: with a handful of faces it differs from the optimal assignment only where two faces cover each
    other.
    """
    candidates = sorted(
        (track.lost, track.mismatch(box, now_s), new, old)
        for (old, track), (new, box) in product(enumerate(tracks), enumerate(boxes))
    )
    pairs: dict[int, int] = {}
    for _, mismatch, new, old in candidates:
        if mismatch <= 1 and new not in pairs and old not in pairs.values():
            pairs[new] = old
    return pairs


def distance(first: Box, second: Box) -> float:
    """How far apart two boxes are: centers and widths, in units of their mean width."""
    return _center_distance(first, second) + abs(first.width - second.width) / _mean_width(first, second)


def _center_distance(first: Box, second: Box) -> float:
    return math.dist(first.center, second.center) / _mean_width(first, second)


def _mean_width(first: Box, second: Box) -> float:
    return max((first.width + second.width) / 2, sys.float_info.epsilon)
