"""`report.html`: the recordings of a room at a glance, in one file that needs nothing else.

Samples go through once; what is kept of them are means over a fixed number of stretches of time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, select_autoescape

from webapp.config import PROJECT_ROOT
from webapp.protocol import LABELS
from webapp.store.models import probability_columns
from webapp.store.records import MarkerRecord

STRETCHES = 240
SHORTEST_STRETCH_MS = 1000.0
WIDTH, HEIGHT = 720, 120
"""Of a plot, in the units of its SVG."""

SMOOTH_COLUMNS = probability_columns("smooth")
GROUP = ""
"""The name under which all participants together are kept; no alias is empty."""


class Line(NamedTuple):
    """One expression of a plot: its label and the points of its polylines, one for each unbroken part."""

    label: str
    parts: list[str]


class Plot(NamedTuple):
    """A participant, or the group, in one recording."""

    title: str
    lines: list[Line]
    valence: list[str]
    marks: list[tuple[float, str]]
    frames: int
    face_share: float


class _Means:
    """Sums over stretches of time: the seven smoothed probabilities and the valence."""

    def __init__(self, stretches: int) -> None:
        self.sums = [[0.0] * (len(LABELS) + 1) for _ in range(stretches)]
        self.faces = [0] * stretches
        self.frames = 0
        self.frames_with_face = 0

    def add(self, stretch: int, sample: Any) -> None:  # noqa: ANN401 - a row of the samples
        self.frames += 1
        if sample.valence is None:
            return
        self.frames_with_face += 1
        values = sample._mapping
        sums = self.sums[stretch]
        for index, name in enumerate(SMOOTH_COLUMNS):
            sums[index] += values[name]
        sums[-1] += sample.valence
        self.faces[stretch] += 1

    def means(self, index: int) -> list[float | None]:
        return [
            sums[index] / faces if faces else None for sums, faces in zip(self.sums, self.faces, strict=True)
        ]


class Report:
    """Takes the samples of a room one by one, then writes the page."""

    def __init__(self, room: str, recordings: Sequence[Any], markers: Sequence[MarkerRecord]) -> None:
        self._room = room
        self._recordings = recordings
        self._markers = markers
        self._means: dict[tuple[int, str], _Means] = {}

    def add(self, number: int, alias: str, sample: Any) -> None:  # noqa: ANN401 - a row of the samples
        """Take a sample of the recording `number` (from 1)."""
        start_ms, span_ms = self._span(number)
        stretches = _stretches(span_ms)
        stretch = int(stretches * (sample.timestamp_ms - start_ms) / span_ms)
        for name in (GROUP, alias):
            means = self._means.setdefault((number, name), _Means(stretches))
            means.add(min(max(stretch, 0), stretches - 1), sample)

    def html(self) -> str:
        """The page."""
        templates = Environment(
            loader=FileSystemLoader(PROJECT_ROOT / "templates"), autoescape=select_autoescape()
        )
        return templates.get_template("export/report.html").render(
            room=self._room,
            labels=LABELS,
            width=WIDTH,
            height=HEIGHT,
            recordings=[
                {
                    "number": number,
                    "minutes": self._span(number)[1] / 60_000,
                    "plots": [self._plot(number, name) for name in self._names(number)],
                }
                for number in range(1, len(self._recordings) + 1)
            ],
        )

    def _names(self, number: int) -> list[str]:
        return sorted(name for of, name in self._means if of == number)

    def _span(self, number: int) -> tuple[float, float]:
        """When a recording began, and how long it was (so far), in milliseconds."""
        recording = self._recordings[number - 1]
        end_ms = recording.end_ms or recording.started_ms
        return recording.started_ms, max(end_ms - recording.started_ms, 1.0)

    def _plot(self, number: int, name: str) -> Plot:
        means = self._means[number, name]
        start_ms, span_ms = self._span(number)
        marks = [
            (WIDTH * (marker.at_ms - start_ms) / span_ms, marker.label)
            for marker in self._markers
            if 0 <= marker.at_ms - start_ms <= span_ms
        ]
        lines = [Line(label, _parts(means.means(index), 0, 1)) for index, label in enumerate(LABELS)]
        valence = _parts(means.means(len(LABELS)), -1, 1)
        title = name or "All participants"
        return Plot(title, lines, valence, marks, means.frames, means.frames_with_face / means.frames)


def _stretches(span_ms: float) -> int:
    """Into how many stretches a recording is cut."""
    return max(1, min(STRETCHES, int(span_ms / SHORTEST_STRETCH_MS)))


def _parts(values: Sequence[float | None], low: float, high: float) -> list[str]:
    """The points of an SVG's polylines; a stretch without a value ends one."""
    parts: list[list[str]] = [[]]
    for stretch, value in enumerate(values):
        if value is None:
            parts.append([])
        else:
            x = WIDTH * (stretch + 0.5) / len(values)
            y = HEIGHT * (1 - (value - low) / (high - low))
            parts[-1].append(f"{x:.1f},{y:.1f}")
    return [" ".join(points) for points in parts if points]
