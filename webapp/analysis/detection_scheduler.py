"""When to run the face detector: for new faces in the whole image, and for small ones in its tiles."""

from __future__ import annotations

import threading

INTERVAL_S = 0.4
"""How often the whole image is scanned for new faces while others are tracked."""

BUSY_FRAMES = 10
"""While the workers have no spare capacity, at most one frame in this many is scanned: the detector costs as
much as everything else. With 25 browsers on two cores this brought the slowest replies from 230 to 50 ms."""

TILE_INTERVAL_S = 0.09
"""How often a tile is scanned, for faces too small to be detected in the whole image. Six tiles cover an
image of 4:3, so a small face is found within a second."""


class DetectionScheduler:
    """Schedules the detector for one camera; any thread may call it. Times are seconds on any one clock.

    `interval_s` is how often the whole image is scanned while faces are tracked.
    """

    def __init__(self, interval_s: float = INTERVAL_S) -> None:
        self._interval_s = interval_s
        self._lock = threading.Lock()
        self._detected_s = self._tiled_s = float("-inf")
        self._frames = self._tile = 0

    def next_detection(
        self, now_s: float, tracking: bool, has_spare_capacity: bool
    ) -> tuple[bool, int | None]:
        """Whether to run the detector on this frame's whole image, and on which of its tiles, if any.

        Args:
            now_s: the time.
            tracking: whether any face is tracked; without one, every frame is scanned.
            has_spare_capacity: whether the workers have time for more; tiles are scanned only then.
        """
        with self._lock:
            detect = not tracking or self._is_due(now_s, has_spare_capacity)
            if detect:
                self._detected_s, self._frames = now_s, 0
            return detect, self._next_tile(now_s) if has_spare_capacity else None

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
