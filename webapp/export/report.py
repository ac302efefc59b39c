"""`report.html`: the recordings of a room at a glance, in one file that needs nothing else.

Samples are read once; means over a fixed number of stretches of time are kept of them. Means are of
people: faces are averaged to frames, frames to participants, and participants to the group.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, select_autoescape

from webapp.config import PROJECT_ROOT
from webapp.protocol import LABELS
from webapp.store.records import MarkerRecord

STRETCHES = 240
SHORTEST_STRETCH_MS = 1000.0
WIDTH, HEIGHT = 720, 120
"""Of a plot, in the units of its SVG."""

MAX_CHUNKS = 1000
"""Template chunks per piece of the page; a chunk is a line or less."""

VALUES = len(LABELS) + 1
"""The seven smoothed probabilities and the valence."""

GROUP_TITLE = "All participants"


MAX_TICKS = 6
TICK_STEPS_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600)


class Area(NamedTuple):
    """One expression of a plot: its label and the points of its polygons, one for each unbroken run."""

    label: str
    runs: list[str]


class Tick(NamedTuple):
    """A line of the grid across time, and the minute and second that it stands for."""

    x: float
    text: str


class Plot(NamedTuple):
    """A participant, or the group, in one recording."""

    title: str
    areas: list[Area]
    valence: list[str]
    marks: list[tuple[float, str]]
    ticks: list[Tick]
    frames: int
    face_fraction: float


class _Person:
    """A participant in one recording: the mean of each stretch of time, over frames.

    A frame counts once, however many faces it shows: it is the mean of its faces. The values are the seven
    smoothed probabilities and the valence.
    """

    def __init__(self, stretches: int) -> None:
        self._sums = [array("d", bytes(8 * stretches)) for _ in range(VALUES)]
        self._counts = array("L", bytes(array("L").itemsize * stretches))
        self._frame: tuple[int, int] | None = None
        self._faces: list[Sequence[float]] = []
        self.frames = 0
        self.frames_with_face = 0

    def add(self, stretch: int, frame: int, face: Sequence[float] | None) -> None:
        """Take a face of a frame, or that it has none; all faces of a frame come one after the other."""
        if self._frame != (stretch, frame):
            self.finish()
            self._frame = (stretch, frame)
        if face is not None:
            self._faces.append(face)

    def finish(self) -> None:
        """Take the last frame, as no more of its faces come."""
        if self._frame is None:
            return
        self.frames += 1
        if self._faces:
            self.frames_with_face += 1
            stretch = self._frame[0]
            self._counts[stretch] += 1
            for sums, values in zip(self._sums, zip(*self._faces, strict=True), strict=True):
                sums[stretch] += sum(values) / len(values)
        self._frame, self._faces = None, []

    @property
    def face_fraction(self) -> float:
        """The fraction of the frames in which there is a face."""
        return self.frames_with_face / self.frames

    def means(self, value: int) -> list[float | None]:
        """The mean of a value in each stretch, None where no face was seen."""
        return [
            total / count if count else None
            for total, count in zip(self._sums[value], self._counts, strict=True)
        ]


class Report:
    """Takes the samples of a room one by one, then writes the page.

    `recordings` have `number`, `started_ms` and `end_ms`; `aliases` are the participants' by id.
    """

    def __init__(
        self,
        room: str,
        recordings: Sequence[Any],
        markers: Sequence[MarkerRecord],
        aliases: Mapping[str, str],
    ) -> None:
        self._room = room
        self._recordings = recordings
        self._markers = markers
        self._aliases = aliases
        self._people: dict[int, dict[str, _Person]] = {recording.number: {} for recording in recordings}

    def add(
        self, number: int, participant_id: str, frame: int, at_ms: float, face: Sequence[float] | None
    ) -> None:
        """Take a sample of the recording `number` (from 1).

        `face` has its seven smoothed probabilities and its valence, or is None where no face was found.
        """
        start_ms, span_ms = self._span(number)
        stretches = _stretches(span_ms)
        people = self._people[number]
        person = people.get(participant_id)
        if person is None:
            person = people[participant_id] = _Person(stretches)
        stretch = int(stretches * (at_ms - start_ms) / span_ms)
        person.add(min(max(stretch, 0), stretches - 1), frame, face)

    def html(self) -> Iterator[str]:
        """The page, piece by piece; no samples can be added any more."""
        templates = Environment(
            loader=FileSystemLoader(PROJECT_ROOT / "templates"), autoescape=select_autoescape()
        )
        page = templates.get_template("export/report.html").stream(
            room=self._room,
            labels=LABELS,
            width=WIDTH,
            height=HEIGHT,
            recordings=[
                {
                    "number": recording.number,
                    "minutes": self._span(recording.number)[1] / 60_000,
                    "plots": self._plots(recording.number),
                }
                for recording in self._recordings
            ],
        )
        page.enable_buffering(MAX_CHUNKS)
        return page

    def _plots(self, number: int) -> Iterator[Plot]:
        """Everybody together, then each participant by alias."""
        people = self._people[number]
        for person in people.values():
            person.finish()
        if people:
            yield self._group_plot(number, list(people.values()))
        for participant_id in sorted(people, key=lambda one: self._aliases[one]):
            person = people[participant_id]
            title = self._aliases[participant_id]
            means = [person.means(value) for value in range(VALUES)]
            yield self._plot(number, title, means, person.frames, person.face_fraction)

    def _group_plot(self, number: int, people: Sequence[_Person]) -> Plot:
        """The mean of the participants' means: each counts alike, however many frames or faces they sent."""
        means = [_mean_of_people([person.means(value) for person in people]) for value in range(VALUES)]
        frames = sum(person.frames for person in people)
        fraction = sum(person.face_fraction for person in people) / len(people)
        return self._plot(number, f"{GROUP_TITLE} ({len(people)})", means, frames, fraction)

    def _span(self, number: int) -> tuple[float, float]:
        """When a recording began, and how long it was (so far), in milliseconds."""
        recording = self._recordings[number - 1]
        end_ms = recording.end_ms or recording.started_ms
        return recording.started_ms, max(end_ms - recording.started_ms, 1.0)

    def _plot(
        self,
        number: int,
        title: str,
        means: Sequence[Sequence[float | None]],
        frames: int,
        face_fraction: float,
    ) -> Plot:
        start_ms, span_ms = self._span(number)
        marks = [
            (WIDTH * (marker.at_ms - start_ms) / span_ms, marker.label)
            for marker in self._markers
            if 0 <= marker.at_ms - start_ms <= span_ms
        ]
        areas, valence = _stacked(means[:-1]), _valence_runs(means[-1])
        return Plot(title, areas, valence, marks, _ticks(span_ms / 1000), frames, face_fraction)


def _mean_of_people(people: Sequence[Sequence[float | None]]) -> list[float | None]:
    """For each stretch the mean over the participants of whom a face was seen in it."""
    seen = [[mean for mean in stretch if mean is not None] for stretch in zip(*people, strict=True)]
    return [sum(means) / len(means) if means else None for means in seen]


def _stretches(span_ms: float) -> int:
    """Into how many stretches a recording is cut."""
    return max(1, min(STRETCHES, int(span_ms / SHORTEST_STRETCH_MS)))


def _ticks(span_s: float) -> list[Tick]:
    """The lines of the grid across a recording: at most `MAX_TICKS` steps, of a round number of seconds."""
    step_s = next((step_s for step_s in TICK_STEPS_S if span_s / step_s <= MAX_TICKS), TICK_STEPS_S[-1])
    times_s = range(0, int(span_s) + 1, step_s)
    return [Tick(WIDTH * at_s / span_s, f"{at_s // 60}:{at_s % 60:02d}") for at_s in times_s]


def _stacked(means: Sequence[Sequence[float | None]]) -> list[Area]:
    """The expressions' areas, the last label at the bottom; a stretch without a face ends a run."""
    below = [0.0] * len(means[0])
    areas = []
    for label, values in reversed(list(zip(LABELS, means, strict=True))):
        above = [low + (value or 0.0) for low, value in zip(below, values, strict=True)]
        runs = [_polygon(run, below, above) for run in _unbroken(values)]
        areas.append(Area(label, runs))
        below = above
    return areas


def _polygon(run: range, below: Sequence[float], above: Sequence[float]) -> str:
    """The points of an area over whole stretches: along its top, then back along its bottom."""
    width = WIDTH / len(above)
    edges = [(stretch, edge) for stretch in run for edge in (stretch * width, (stretch + 1) * width)]
    top = [_point(x, 1 - above[stretch]) for stretch, x in edges]
    bottom = [_point(x, 1 - below[stretch]) for stretch, x in reversed(edges)]
    return " ".join(top + bottom)


def _valence_runs(values: Sequence[float | None]) -> list[str]:
    """The points of the polylines of valence, which goes from -1 to 1.

    A point alone becomes a line as long as its stretch: SVG draws nothing of a line with one point.
    """
    width = WIDTH / len(values)
    runs = []
    for run in _unbroken(values):
        points = [((stretch + 0.5) * width, (1 - (values[stretch] or 0.0)) / 2) for stretch in run]
        if len(points) == 1:
            points = [(run[0] * width, points[0][1]), ((run[0] + 1) * width, points[0][1])]
        runs.append(" ".join(_point(x, down) for x, down in points))
    return runs


def _unbroken(values: Sequence[float | None]) -> list[range]:
    """The runs of stretches that have a value."""
    missing = [-1, *(stretch for stretch, value in enumerate(values) if value is None), len(values)]
    return [range(last + 1, end) for last, end in pairwise(missing) if end - last > 1]


def _point(x: float, down: float) -> str:
    """A point of an SVG; `down` is 0 at the top of the plot and 1 at its bottom."""
    return f"{x:.1f},{HEIGHT * down:.1f}"
