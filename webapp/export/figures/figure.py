"""The figures of a recording: panels above each other over one axis of time, with its markers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from webapp.export.figures.axes import Tick, ticks, time_title
from webapp.export.figures.marker_labels import LANE_HEIGHT, Flags, lay_out
from webapp.export.figures.shapes import (
    HEIGHT,
    WIDTH,
    Area,
    Scale,
    bands,
    polylines,
    stacked,
)
from webapp.export.statistics.interval import Estimate
from webapp.export.statistics.recordings import RecordingStatistics
from webapp.export.statistics.tally import EXPRESSIONS, MEASURES
from webapp.protocol import LABELS

SMALL_HEIGHT = 44
GAP, SMALL_GAP = 16, 14
LEFT, RIGHT = 62, 14
TIMES_HEIGHT, LEGEND_HEIGHT = 37, 22
TOPS = (0.1, 0.25, 0.5, 1.0)
"""Where the scale of the group's expressions may end."""

LINES_PER_UNIT = 2
"""Lines of markers in each unit of the SVG, at most."""

VALENCE = len(MEASURES) - 1
PROBABILITY_TEXTS = ((0.0, "0%"), (0.5, "50%"), (1.0, "100%"))
VALENCE_TEXTS = ((-1.0, "−1"), (0.0, "0"), (1.0, "+1"))


class Panel(NamedTuple):
    """One pair of axes: `top` is where it begins in its figure, `grid` has lines and their texts."""

    top: float
    height: float
    title: str
    grid: list[tuple[float, str]]
    label: str = ""
    areas: Sequence[Area] = ()
    bands: Sequence[str] = ()
    lines: Sequence[str] = ()


class Figure(NamedTuple):
    """A figure: `marks` are where its markers are, `own_marks` those that the participant set."""

    title: str
    panels: list[Panel]
    ticks: list[Tick]
    flags: Flags
    marks: list[float]
    own_marks: list[float]
    time_title: str
    has_legend: bool = True
    has_bands: bool = False

    @property
    def top(self) -> float:
        """How much room the labels of the markers take above the panels."""
        return LANE_HEIGHT * self.flags.lanes + 6

    @property
    def bottom(self) -> float:
        """Where the panels end, counted from their top."""
        last = self.panels[-1]
        return last.top + last.height

    @property
    def size(self) -> tuple[float, float]:
        """The width and the height of all."""
        legend = LEGEND_HEIGHT if self.has_legend else 0
        return LEFT + WIDTH + RIGHT, self.top + self.bottom + TIMES_HEIGHT + legend


def person_figure(one: RecordingStatistics, participant_id: str, title: str) -> Figure:
    """A participant's expressions, stacked, and valence."""
    person = one.people[participant_id]
    lines = [person.means(measure) for measure in range(len(MEASURES))]
    own = one.markers_of(participant_id)
    return _figure(one, title, _stack_and_valence(lines), own)


def group_figure(one: RecordingStatistics, title: str) -> Figure:
    """The group's expressions, stacked, and valence with its interval."""
    estimates = [one.group_line(measure) for measure in range(len(MEASURES))]
    lines = [[found.mean if found else None for found in line] for line in estimates]
    return _figure(one, title, _stack_and_valence(lines, estimates[VALENCE]))._replace(has_bands=True)


def expressions_figure(one: RecordingStatistics, title: str) -> Figure:
    """Each expression of the group by itself, with its interval; all on one scale."""
    estimates = [one.group_line(measure) for measure in range(len(EXPRESSIONS))]
    ends = [found.high or found.mean for line in estimates for found in line if found]
    top = next(top for top in TOPS if top >= min(max(ends, default=1.0), 1.0))
    scale = Scale(0.0, top, SMALL_HEIGHT)
    panels = [
        Panel(
            top=number * (SMALL_HEIGHT + SMALL_GAP),
            height=SMALL_HEIGHT,
            title="",
            grid=[(float(SMALL_HEIGHT), "0%"), (0.0, f"{100 * top:.0f}%")],
            label=label,
            bands=bands(line, scale),
            lines=polylines([found.mean if found else None for found in line], scale),
        )
        for number, (label, line) in enumerate(zip(LABELS, estimates, strict=True))
    ]
    return _figure(one, title, panels)._replace(has_legend=False)


def _stack_and_valence(
    lines: Sequence[Sequence[float | None]], valence: Sequence[Estimate | None] = ()
) -> list[Panel]:
    shares, signed = Scale(0.0, 1.0), Scale(-1.0, 1.0)
    return [
        Panel(0, HEIGHT, "Probability", _grid(PROBABILITY_TEXTS, shares), areas=stacked(lines[:-1], shares)),
        Panel(
            HEIGHT + GAP,
            HEIGHT,
            "Valence",
            _grid(VALENCE_TEXTS, signed),
            bands=bands(valence, signed) if valence else (),
            lines=polylines(lines[VALENCE], signed),
        ),
    ]


def _grid(texts: Sequence[tuple[float, str]], scale: Scale) -> list[tuple[float, str]]:
    span = scale.high - scale.low
    return [(scale.height * (scale.high - value) / span, text) for value, text in texts]


def _figure(
    one: RecordingStatistics, title: str, panels: list[Panel], own: Sequence[tuple[float, str]] = ()
) -> Figure:
    """A participant's own markers have labels where these fit beside those of all."""
    shared, mine = (_across(one, markers) for markers in (one.markers, own))
    flags = lay_out(sorted([*shared, *mine]), WIDTH)
    if flags.is_numbered and mine:
        flags = lay_out(shared, WIDTH)
    marks, own_marks = (_apart([x for x, _ in markers]) for markers in (shared, mine))
    return Figure(title, panels, ticks(one.span_s), flags, marks, own_marks, time_title(one.span_s))


def _apart(marks: Sequence[float]) -> list[float]:
    """Those that the eye can tell apart: of thousands of markers most have the same line as another."""
    return list({round(LINES_PER_UNIT * x): x for x in reversed(marks)}.values())[::-1]


def _across(one: RecordingStatistics, markers: Sequence[tuple[float, str]]) -> list[tuple[float, str]]:
    return [(WIDTH * min(at_s / one.span_s, 1.0), label) for at_s, label in markers]
