"""`report.html` of an analyzed file: tables of means, and figures over time for a video; one file, no script.

Frames are read once; of each face the means over stretches of time are kept, so the length of a video does
not matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, select_autoescape

from webapp.config import PROJECT_ROOT
from webapp.export.file_rows import printable
from webapp.export.time_bins import TimeBins
from webapp.protocol import LABELS, Face, FileFrame

MAX_FACES = 400
"""Of which means are kept; each has 15 kB."""

MAX_FIGURES = 16
MAX_IMAGE_ROWS = 5000
MIN_FIGURE_FRAMES = 5

WIDTH, HEIGHT = 720, 140
"""Of a figure, in the units of its SVG."""

TICK_STEPS_S = (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600)
MAX_TICKS = 6

VALENCE = len(LABELS)
"""The place of the valence, after the seven probabilities."""

MAX_CHUNKS = 1000


class Tick(NamedTuple):
    """A time on the axis: where it is, and what is written there."""

    x: float
    text: str


class ImageRow(NamedTuple):
    """A face of an image; without a face all but `input` is None."""

    input: str
    face: int | None
    expression: str | None
    confidence: float | None
    valence: float | None


class FaceRow(NamedTuple):
    """The means of a face over its frames, in the order of `LABELS`, then the valence."""

    face: int
    frames: int
    first: str
    last: str
    means: list[float]


class Figure(NamedTuple):
    """A face over time: the areas of its probabilities by label, one on the other, and its valence."""

    face: int
    areas: list[tuple[str, list[str]]]
    valence: list[str]


@dataclass(slots=True)
class _Seen:
    frames: int = 0
    first_s: float = 0.0
    last_s: float = 0.0


class FileReport:
    """Takes the frames of a file one by one, then writes the page; one thread uses it."""

    def __init__(self, name: str) -> None:
        self._name = printable(name)
        self._bins = TimeBins(VALENCE + 1)
        self._faces: dict[int, _Seen] = {}
        self._images: list[ImageRow] = []
        self._images_left_out = 0
        self._faces_left_out: set[int] = set()
        self._is_video = False
        self._start_s: float | None = None
        self.frames = 0
        self.frames_with_face = 0

    def add(self, frame: FileFrame) -> None:
        """Take what was found in the next frame."""
        self.frames += 1
        self.frames_with_face += bool(frame.faces)
        self._is_video = self._is_video or frame.index > 0
        if len(self._images) < MAX_IMAGE_ROWS and not self._is_video:
            self._images += _image_rows(frame)
        else:
            self._images_left_out += 1
        self._start_s = frame.t if self._start_s is None else self._start_s
        t = max(0.0, frame.t - self._start_s)
        self._bins.reach(t)
        for face in frame.faces:
            self._add_face(face, t)

    def html(self) -> Iterator[str]:
        """The page, piece by piece; no frames can be added any more."""
        templates = Environment(
            loader=FileSystemLoader(PROJECT_ROOT / "templates" / "export"), autoescape=select_autoescape()
        )
        page = templates.get_template("file_report.html").stream(
            name=self._name,
            labels=LABELS,
            width=WIDTH,
            height=HEIGHT,
            is_video=self._is_video,
            frames=self.frames,
            frames_with_face=self.frames_with_face,
            images=[] if self._is_video else self._images,
            images_left_out=self._images_left_out,
            faces_left_out=len(self._faces_left_out),
            means=self._means(),
            duration=_clock(self._bins.end_s),
            faces=[self._face_row(face) for face in sorted(self._faces)] if self._is_video else [],
            figures=self._figures() if self._is_video else [],
            ticks=_ticks(self._bins.count * self._bins.width_s),
        )
        page.enable_buffering(MAX_CHUNKS)
        return page

    def _add_face(self, face: Face, t: float) -> None:
        values = [*(face.probabilities[label] for label in LABELS), face.valence]
        self._bins.add("all", t, values)
        if face.id not in self._faces and len(self._faces) >= MAX_FACES:
            self._faces_left_out.add(face.id)
            return
        seen = self._faces.setdefault(face.id, _Seen(first_s=t))
        seen.frames, seen.last_s = seen.frames + 1, t
        self._bins.add(face.id, t, values)

    def _means(self) -> list[float]:
        """Over all faces in all frames; empty if there is none."""
        return [self._bins.mean("all", value) for value in range(VALENCE + 1)] if self._faces else []

    def _face_row(self, face: int) -> FaceRow:
        seen = self._faces[face]
        means = [self._bins.mean(face, value) for value in range(VALENCE + 1)]
        return FaceRow(face, seen.frames, _clock(seen.first_s), _clock(seen.last_s), means)

    def _figures(self) -> Iterator[Figure]:
        """Of the faces that are seen in most frames, by their numbers."""
        often = sorted(self._faces, key=lambda face: -self._faces[face].frames)[:MAX_FIGURES]
        for face in sorted(often):
            if self._faces[face].frames >= MIN_FIGURE_FRAMES:
                means = [self._bins.means(face, value) for value in range(VALENCE + 1)]
                yield Figure(face, _areas(means[:VALENCE]), _line(means[VALENCE]))


def _image_rows(frame: FileFrame) -> list[ImageRow]:
    if not frame.faces:
        return [ImageRow(printable(frame.input), None, None, None, None)]
    return [
        ImageRow(printable(frame.input), face.id, face.expression, face.confidence, face.valence)
        for face in frame.faces
    ]


def _areas(means: Sequence[Sequence[float | None]]) -> list[tuple[str, list[str]]]:
    """The points of each label's polygons, the last label at the bottom; without a face there is a gap."""
    below = [0.0] * len(means[0])
    areas = []
    for label, values in reversed(list(zip(LABELS, means, strict=True))):
        above = [low + (value or 0.0) for low, value in zip(below, values, strict=True)]
        areas.append((label, [_polygon(run, below, above) for run in _runs(values)]))
        below = above
    return areas


def _polygon(run: Sequence[int], below: Sequence[float], above: Sequence[float]) -> str:
    width = WIDTH / len(above)
    edges = [(at, edge) for at in run for edge in (at * width, (at + 1) * width)]
    top = [_point(x, 1 - above[at]) for at, x in edges]
    bottom = [_point(x, 1 - below[at]) for at, x in reversed(edges)]
    return " ".join(top + bottom)


def _line(values: Sequence[float | None]) -> list[str]:
    """The points of the lines of valence, -1 to 1; each stretch is as wide as it lasts."""
    width = WIDTH / len(values)
    return [
        " ".join(
            _point(x, (1 - (values[at] or 0.0)) / 2) for at in run for x in (at * width, (at + 1) * width)
        )
        for run in _runs(values)
    ]


def _runs(values: Sequence[float | None]) -> list[list[int]]:
    """The numbers of neighbouring stretches that have a value."""
    grouped = groupby(range(len(values)), lambda at: values[at] is not None)
    return [list(run) for has_value, run in grouped if has_value]


def _point(x: float, down: float) -> str:
    """A point of an SVG; `down` is 0 at the top of the figure and 1 at its bottom."""
    return f"{x:.1f},{HEIGHT * down:.1f}"


def _ticks(span_s: float) -> list[Tick]:
    step_s = next((step_s for step_s in TICK_STEPS_S if span_s / step_s <= MAX_TICKS), TICK_STEPS_S[-1])
    count = int(span_s / step_s) + 1
    return [Tick(WIDTH * step_s * number / span_s, _clock(step_s * number)) for number in range(count)]


def _clock(seconds: float) -> str:
    """0:07, or 0:07.5 where it is not whole."""
    minutes, rest = divmod(round(seconds, 1), 60)
    return f"{int(minutes)}:{int(rest):02d}" + (f".{round(10 * (rest % 1))}" if rest % 1 > 0.05 else "")
