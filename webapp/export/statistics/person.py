"""One participant in one recording, from the first of their exported rows to the last."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from webapp.export.statistics.epochs import epoch_at
from webapp.export.statistics.main_face import Weights
from webapp.export.statistics.tally import INDEX, MAX_HELD, MEASURES, Tally, merged
from webapp.export.tables import Row

FRAME, FACE, AT = INDEX["frame"], INDEX["face_id"], INDEX["t"]
FIRST, LAST = INDEX[MEASURES[0]], INDEX[MEASURES[-1]] + 1


class Person:
    """Adds frames up twice: over stretches of time for the figures, and over epochs for the tables.

    Rows come in the order of time, and all faces of a frame one after the other. Frames of the same stretch and
    epoch are held back and added up at once, which is ten times faster than one by one.
    """

    def __init__(self, stretches: int, span_s: float, epoch_starts: Sequence[float], weights: Weights) -> None:
        self._per_second = stretches / span_s
        self._epoch_starts = epoch_starts
        self._weights = weights
        self._sums = [array("d", bytes(8 * stretches)) for _ in MEASURES]
        self._counts = array("L", bytes(array("L").itemsize * stretches))
        self._faces: list[Row] = []
        self._frame: Row | None = None
        self._held: list[Row] = []
        self._cell = (0, 0)
        self.tallies: dict[int, Tally] = {}
        self.other_faces: set[int] = set()
        self.frames_with_others = 0
        self.first_s = self.last_s = 0.0

    def add(self, row: Row) -> None:
        """Take a row: a face of a frame, or a frame without one."""
        if self._frame is None or self._frame[FRAME] != row[FRAME]:
            self._finish_frame()
            self._frame = row
        if row[FACE] is not None:
            self._faces.append(row)

    def finish(self) -> None:
        """Take the last frame, as no more rows come."""
        self._finish_frame()
        self._add_held()

    @property
    def total(self) -> Tally:
        """All frames of the recording."""
        return merged(self.tallies.values())

    @property
    def rate_per_s(self) -> float | None:
        """Analyzed frames a second, from the first to the last; None with fewer than two times."""
        frames = sum(tally.frames for tally in self.tallies.values())
        span_s = self.last_s - self.first_s
        return (frames - 1) / span_s if frames > 1 and span_s > 0 else None

    def means(self, measure: int) -> list[float | None]:
        """The mean of a measure in each stretch, None where no face was seen."""
        sums = self._sums[measure]
        return [total / count if count else None for total, count in zip(sums, self._counts, strict=True)]

    def _finish_frame(self) -> None:
        if self._frame is None:
            return
        at_s = self._frame[AT]
        self._note_time(at_s)
        stretch = min(max(int(at_s * self._per_second), 0), len(self._counts) - 1)
        cell = (stretch, epoch_at(self._epoch_starts, at_s))
        if cell != self._cell or len(self._held) == MAX_HELD:
            self._add_held()
            self._cell = cell
        self._tally(cell[1]).frames += 1
        if self._faces:
            self._held.append(self._main_face())
        self._frame, self._faces = None, []

    def _note_time(self, at_s: float) -> None:
        if not self.tallies:
            self.first_s = at_s
        self.last_s = at_s

    def _main_face(self) -> Row:
        if len(self._faces) == 1:
            return self._faces[0]
        main = max(self._faces, key=lambda row: (self._weights.get((row[0], row[FACE]), 0), -row[FACE]))
        self.other_faces.update(row[FACE] for row in self._faces if row is not main)
        self.frames_with_others += 1
        return main

    def _add_held(self) -> None:
        if not self._held:
            return
        stretch, epoch = self._cell
        self._counts[stretch] += len(self._held)
        columns = zip(*(row[FIRST:LAST] for row in self._held), strict=True)
        for sums, values in zip(self._sums, columns, strict=True):
            sums[stretch] += sum(values)
        self._tally(epoch).add(self._held)
        self._held = []

    def _tally(self, epoch: int) -> Tally:
        return self.tallies.get(epoch) or self.tallies.setdefault(epoch, Tally())
