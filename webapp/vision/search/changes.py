"""Which parts of a video have changed since they were last searched: where nothing has, nobody has come.

A camera that stands still shows the same wall in frame after frame, and detectors take much of the time. The
wall is remembered, so that it is not searched again after somebody has passed in front of it.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from webapp.protocol import Region
from webapp.vision.search.tiles import Tile

CELLS = 64
"""The longer side of a frame in cells, whose means are compared: 10 pixels of 640."""

SAMPLED_SIDE = 640
"""Of larger frames single pixels are compared instead of all, as many as of a frame of this size."""

MIN_CHANGE = 5
"""Of the mean gray value of a cell. Under compression or a sensor's noise with a standard deviation of 10 it
changes less; a face of 20 pixels changes four cells by dozens."""

MARGIN = 1.3
"""The side of the square around a tracked face in which changes are less urgent, over its region's: hair
moves with the face. Somebody cheek to cheek with it still changes what lies outside."""

MARGIN_INTERVAL_S = 0.5
"""How often the whole frame is searched at most because of changes in margins alone: where one face fills the
frame, somebody may appear behind it."""

SEARCHES = 3
"""So often a part is searched before it counts that nothing changes there: what a detector overlooks once, it
may see in the next frame, as when somebody moves a little."""

REPEAT_DELAY_S = 0.5
"""How much longer a tile that has not changed since its last search waits for the next one than a tile that
has."""

RECHECK_S = 4.0
"""The interval after which an unchanged part is searched once more."""

MAX_REMEMBERED = 4
"""The number of scenes without a face that are kept for each part."""

FOUND_WITHIN_S = 0.5
"""A face that is tracked for the first time this soon after a search was found by it."""


class _Search(NamedTuple):
    """What a part showed when it was first searched and how often it has been since, and the last time.

    `is_empty` if no face was tracked there and none was found.
    """

    cells: NDArray[np.int16]
    t: float
    is_empty: bool
    times: int = 0
    last_t: float = -math.inf


class SceneChanges:
    """What the parts of one video showed when they were last searched; one thread calls it."""

    def __init__(self) -> None:
        self._searches: dict[Hashable, _Search] = {}
        self._earlier: dict[Hashable, deque[_Search]] = {}
        self._faces = 0
        self._cells = np.zeros((1, 1), np.int16)
        self._t, self._width = 0.0, 1
        self._outside_faces = self._outside_margins = np.ones((1, 1), bool)

    def see(self, pixels: NDArray[np.uint8], regions: Sequence[Region], t: float) -> None:
        """Take the next frame, (height, width, 3) at a time in seconds.

        `regions`, in widths of the frame, are those of the tracked faces, whose changes do not count.
        """
        self._width, self._t = pixels.shape[1], t
        self._cells = _cells(pixels)
        self._outside_faces = self._without(regions, 1.0)
        self._outside_margins = self._without(regions, MARGIN)
        if len(regions) > self._faces:
            self._mark_found()
        self._faces = len(regions)

    def _mark_found(self) -> None:
        for part, search in self._searches.items():
            if abs(self._t - search.last_t) <= FOUND_WITHIN_S:
                self._searches[part] = search._replace(is_empty=False)

    def _without(self, regions: Sequence[Region], scale: float) -> NDArray[np.bool_]:
        """The cells outside of the regions, each so many times as large."""
        outside = np.ones(self._cells.shape, bool)
        for region in regions:
            rows, columns = _square(region._replace(size=scale * region.size).scaled(self._cells.shape[1]))
            outside[rows, columns] = False
        return outside

    def is_due(self, part: Hashable, searches: int = SEARCHES) -> bool:
        """Whether the whole frame has to be searched; if so, it is taken to be.

        `part` names how, and `searches` are enough while nothing changes.
        """
        due = self._is_due(part, None, searches)
        if due:
            self._search(part, None, searches)
        return due

    def is_empty(self, part: Hashable) -> bool:
        """Whether the frame, also where faces were tracked, shows what it did when this search found nobody.

        A scene that comes back later counts as searched at that moment.
        """
        everywhere = np.ones(self._cells.shape, bool)
        search = self._recalled(part, None, 1, everywhere)
        if search is None or self._has_changed(search, None, everywhere):
            self._remember(part, 1)
            self._searches.pop(part, None)
            return False
        return search.is_empty

    def next_tile(self, tiles: Iterable[Tile]) -> Tile | None:
        """The tile to be searched, which is taken to be: where something has changed, and not lately."""
        due = [tile for tile in tiles if self._is_due(tile, tile)]
        first = min(due, key=self._rank, default=None)
        if first is not None:
            self._search(first, first, SEARCHES)
        return first

    def _rank(self, tile: Tile) -> float:
        """The lower, the sooner its turn: what has changed or is overdue goes before other tiles."""
        search = self._searches.get(tile)
        if search is None:
            return -math.inf
        return search.last_t + (0.0 if self._is_outdated(search, tile) else REPEAT_DELAY_S)

    def _is_due(self, part: Hashable, area: Tile | None, searches: int = SEARCHES) -> bool:
        search = self._recalled(part, area, searches, self._outside_margins)
        return search is None or search.times < searches or self._is_outdated(search, area)

    def _recalled(
        self, part: Hashable, area: Tile | None, searches: int, among: NDArray[np.bool_]
    ) -> _Search | None:
        """The last search of a part, or an earlier one that found nobody where it shows the same again."""
        search = self._searches.get(part)
        if search is not None and not self._has_changed(search, area, among):
            return search
        earlier = self._earlier.setdefault(part, deque(maxlen=MAX_REMEMBERED))
        for index, same in enumerate(earlier):
            if not self._has_changed(same, area, among):
                del earlier[index]
                self._remember(part, searches)
                self._searches[part] = same._replace(t=self._t)
                return self._searches[part]
        return search

    def _search(self, part: Hashable, area: Tile | None, searches: int) -> None:
        search = self._searches.get(part)
        if search is None or self._has_changed(search, area, self._outside_margins):
            self._remember(part, searches)
            search = self._first_search(area)
        elif self._is_old(search, area):
            again = self._first_search(area)._replace(times=search.times - 1)
            if not again.is_empty:
                self._remember(part, searches)
            search = again
        self._searches[part] = search._replace(times=search.times + 1, last_t=self._t)

    def _first_search(self, area: Tile | None) -> _Search:
        return _Search(self._cells, self._t, bool(self._outside_faces[self._in_cells(area)].all()))

    def _remember(self, part: Hashable, searches: int) -> None:
        """Keep the last search of a part, if it was repeated often enough and found nobody."""
        search = self._searches.get(part)
        if search is not None and search.is_empty and search.times >= searches:
            self._earlier.setdefault(part, deque(maxlen=MAX_REMEMBERED)).appendleft(search)

    def _is_outdated(self, search: _Search, area: Tile | None) -> bool:
        return self._has_changed(search, area, self._outside_margins) or self._is_old(search, area)

    def _is_old(self, search: _Search, area: Tile | None) -> bool:
        age_s = self._t - search.t
        if not 0 <= age_s < RECHECK_S:
            return True
        is_due = area is None and age_s >= MARGIN_INTERVAL_S
        return is_due and self._has_changed(search, area, self._outside_faces)

    def _has_changed(self, search: _Search, area: Tile | None, among: NDArray[np.bool_]) -> bool:
        if search.cells.shape != self._cells.shape:
            return True
        part = self._in_cells(area)
        change = np.abs(self._cells[part] - search.cells[part])
        return bool((change[among[part]] >= MIN_CHANGE).any())

    def _in_cells(self, area: Tile | None) -> tuple[slice, slice]:
        """The rows and columns of a tile, or of the whole frame."""
        if area is None:
            return slice(None), slice(None)
        scale = self._cells.shape[1] / self._width
        x, y, side = (scale * value for value in area)
        return _span(y, y + side), _span(x, x + side)


def _cells(pixels: NDArray[np.uint8]) -> NDArray[np.int16]:
    """The mean gray values of the cells of a frame."""
    height, width = pixels.shape[:2]
    longer = max(height, width)
    if longer > SAMPLED_SIDE:
        size = _size(width, height, SAMPLED_SIDE)
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_NEAREST), np.uint8)
    gray = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
    means = cv2.resize(gray, _size(width, height, CELLS), interpolation=cv2.INTER_AREA)
    return np.asarray(means, np.int16)


def _size(width: int, height: int, longer: int) -> tuple[int, int]:
    """Width and height where the longer is so many."""
    scale = longer / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _square(region: Region) -> tuple[slice, slice]:
    """Rows and columns of a region, whatever its roll."""
    half = region.size / 2
    return _span(region.y - half, region.y + half), _span(region.x - half, region.x + half)


def _span(first: float, last: float) -> slice:
    """All cells that lie in it with a part of them."""
    return slice(max(0, int(first)), max(0, int(np.ceil(last))))
