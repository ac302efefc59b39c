"""When to run the face detector: in the whole image, in its tiles, and for a second look."""

from __future__ import annotations

import threading
from typing import NamedTuple

INTERVAL_S = 0.4
"""How often the whole image is scanned for new faces while others are tracked."""

BUSY_FRAMES = 10
"""While the workers have no spare capacity, at most one frame in this many is scanned: the detector costs as
much as everything else. With 25 browsers on two cores this brought the slowest replies from 230 to 50 ms."""

TILE_INTERVAL_S = 0.09
"""How often a tile is scanned, for faces too small to be detected in the whole image. Six tiles cover an
image of 4:3, so a small face is found within a second."""

QUICK_FRAME_S = 0.05
"""Where frames arrive faster than this, a tile waits for the frame after a scan of the whole image, so that
frames take about the same time."""

SECOND_LOOK_INTERVAL_S = 0.9
"""How often a frame without faces may get a second look; a lost track lives a little longer than that."""


class Search(NamedTuple):
    """Where to run the detector on a frame: see the fields of the same names of `protocol.Job`."""

    detect: bool
    tile: int | None
    second_look: bool


class DetectionScheduler:
    """Schedules the detector for one camera; any thread may call it. Times are seconds on any one clock.

    `interval_s` is how often the whole image is scanned while faces are tracked.
    """

    def __init__(self, interval_s: float = INTERVAL_S) -> None:
        self._interval_s = interval_s
        self._lock = threading.Lock()
        self._detected_s = self._tiled_s = self._looked_again_s = self._last_s = float("-inf")
        self._frames = self._tile = 0

    def next_detection(self, now_s: float, tracking: bool, has_spare_capacity: bool) -> Search:
        """Where to run the detector on this frame.

        Args:
            now_s: the time.
            tracking: whether any face is tracked; without one, every frame is scanned.
            has_spare_capacity: whether the workers have time for more; tiles are scanned and second looks
                are taken only then.
        """
        with self._lock:
            detect = not tracking or self._is_due(now_s, has_spare_capacity)
            if detect:
                self._detected_s, self._frames = now_s, 0
            is_quick, self._last_s = now_s - self._last_s < QUICK_FRAME_S, now_s
            if not has_spare_capacity:
                return Search(detect, tile=None, second_look=False)
            tile = None if detect and tracking and is_quick else self._next_tile(now_s)
            return Search(detect, tile, self._next_second_look(now_s))

    def _is_due(self, now_s: float, has_spare_capacity: bool) -> bool:
        self._frames += 1
        return now_s - self._detected_s >= self._interval_s and (
            has_spare_capacity or self._frames >= BUSY_FRAMES
        )

    def _next_tile(self, now_s: float) -> int | None:
        if now_s - self._tiled_s < TILE_INTERVAL_S:
            return None
        self._tiled_s = now_s
        self._tile += 1
        return self._tile

    def _next_second_look(self, now_s: float) -> bool:
        due = now_s - self._looked_again_s >= SECOND_LOOK_INTERVAL_S
        if due:
            self._looked_again_s = now_s
        return due
