"""The points of areas, lines and bands in a panel; a stretch without a value ends each of them.

`down` is 0 at the top of a panel and 1 at its bottom.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from webapp.export.statistics.interval import Estimate
from webapp.protocol import LABELS

WIDTH, HEIGHT = 720, 120
"""Of a panel, in the units of its SVG."""

Line = Sequence[float | None]


class Area(NamedTuple):
    """One expression: its label and the points of its polygons, one for each unbroken run."""

    label: str
    runs: list[str]


class Scale(NamedTuple):
    """The values at the bottom and at the top of a panel, and its height."""

    low: float
    high: float
    height: float = HEIGHT

    def point(self, x: float, value: float) -> str:
        """A point of an SVG; beyond the scale it lies on the edge of the panel."""
        share = min(max((self.high - value) / (self.high - self.low), 0.0), 1.0)
        return f"{x:.1f},{self.height * share:.1f}"


def stacked(lines: Sequence[Line], scale: Scale) -> list[Area]:
    """The expressions' areas one on the other, the last label at the bottom."""
    below = [0.0] * len(lines[0])
    areas = []
    for label, values in reversed(list(zip(LABELS, lines, strict=True))):
        above = [low + (value or 0.0) for low, value in zip(below, values, strict=True)]
        areas.append(Area(label, [_steps(run, below, above, scale) for run in _unbroken(values)]))
        below = above
    return areas


def polylines(line: Line, scale: Scale) -> list[str]:
    """The runs of a line, through the middle of each stretch.

    A point alone becomes a line as long as its stretch: SVG draws nothing of a line with one point.
    """
    width = WIDTH / len(line)
    runs = []
    for run in _unbroken(line):
        points = [((stretch + 0.5) * width, line[stretch] or 0.0) for stretch in run]
        if len(points) == 1:
            points = [(run[0] * width, points[0][1]), ((run[0] + 1) * width, points[0][1])]
        runs.append(" ".join(scale.point(x, value) for x, value in points))
    return runs


def bands(line: Sequence[Estimate | None], scale: Scale) -> list[str]:
    """The intervals around a line, as polygons over whole stretches."""
    lows = [one.low if one else None for one in line]
    highs = [one.high if one else None for one in line]
    return [_steps(run, lows, highs, scale) for run in _unbroken(lows)]


def _steps(run: range, below: Line, above: Line, scale: Scale) -> str:
    """The points of an area over whole stretches: along its top, then back along its bottom."""
    width = WIDTH / len(above)
    edges = [(stretch, edge) for stretch in run for edge in (stretch * width, (stretch + 1) * width)]
    top = [scale.point(x, above[stretch] or 0.0) for stretch, x in edges]
    bottom = [scale.point(x, below[stretch] or 0.0) for stretch, x in reversed(edges)]
    return " ".join(top + bottom)


def _unbroken(values: Line) -> list[range]:
    """The runs of stretches that have a value."""
    missing = [-1, *(stretch for stretch, value in enumerate(values) if value is None), len(values)]
    return [range(last + 1, end) for last, end in pairwise(missing) if end - last > 1]
