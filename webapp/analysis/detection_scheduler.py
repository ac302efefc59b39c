"""When to look for faces that are not followed yet. Pure, no I/O."""

from __future__ import annotations

INTERVAL_S = 0.4
"""How often the whole picture is searched for newcomers while faces are followed."""

BUSY_FRAMES = 10
"""While the server has no time to spare, at most one in so many pictures is searched: the detector costs as
much as all the rest. With 25 browsers on two cores that brought the slowest answers from 230 to 50 ms."""

TILE_INTERVAL_S = 0.09
"""How often a part of the picture is searched closely, for faces too small for the whole view; six parts
make a picture of 4:3, so a small face is found within a second."""


class DetectionScheduler:
    """The clock of one camera; times are in seconds on any one clock."""

    def __init__(self) -> None:
        self._detected_s = self._tiled_s = float("-inf")
        self._frames = self._tile = 0

    def next_detection(
        self, now_s: float, following: bool, has_spare_capacity: bool
    ) -> tuple[bool, int | None]:
        """Whether this frame's whole picture is searched, and which of its parts closely, if any.

        Args:
            now_s: the time.
            following: whether there is a face that is followed; without one every frame is searched.
            has_spare_capacity: whether the workers have time for more; tiles are searched only then.
        """
        self._frames += 1
        due = now_s - self._detected_s >= INTERVAL_S and (has_spare_capacity or self._frames >= BUSY_FRAMES)
        if due or not following:
            self._detected_s, self._frames = now_s, 0
        return due or not following, self._next_tile(now_s) if has_spare_capacity else None

    def _next_tile(self, now_s: float) -> int | None:
        if now_s - self._tiled_s < TILE_INTERVAL_S:
            return None
        self._tiled_s = now_s
        self._tile += 1
        return self._tile
