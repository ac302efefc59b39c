"""The parts in which a picture is searched closely, one at a time, for faces too small for the whole view."""

from __future__ import annotations

import math
from typing import NamedTuple

TILE_FRACTION = 0.5
"""The side of a tile over the longer side of the picture.

In 640 x 480 pixels six such tiles find a face of 24 pixels in 60 of 60 places and one of 20 in 55; four tiles
of 0.6 find 56 and 34, and the whole view nothing under 32.
"""

OVERLAP_FRACTION = 0.075
"""How much tiles overlap, likewise: the width of the largest face that only they find."""


class Tile(NamedTuple):
    """A square part of a picture, in pixels; `x` and `y` are its left and upper edge."""

    x: int
    y: int
    side: int


def tile(width: int, height: int, number: int) -> Tile:
    """The tile with this number in a picture of this size; numbers beyond the last begin again."""
    longer = max(width, height)
    side = math.ceil(longer * TILE_FRACTION)
    columns, rows = (_count(length, side, longer * OVERLAP_FRACTION) for length in (width, height))
    row, column = divmod(number % (columns * rows), columns)
    return Tile(_start(column, columns, width - side), _start(row, rows, height - side), side)


def _count(length: int, side: int, overlap: float) -> int:
    """How many tiles cover this length."""
    return max(1, math.ceil((length - overlap) / (side - overlap))) if side > overlap else 1


def _start(index: int, count: int, room: int) -> int:
    return round(max(0, room) * index / (count - 1)) if count > 1 else 0
