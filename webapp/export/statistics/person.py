"""One participant in one recording, from the first of their exported rows to the last."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from webapp.export.codebook import COLUMN_INDEX
from webapp.export.statistics.epochs import Epoch, epoch_at
from webapp.export.statistics.frame_spool import FrameSpool
from webapp.export.statistics.main_face import Weights, main_face
from webapp.export.statistics.tally import MAX_HELD, MEASURES, Tally, merged
from webapp.export.tables import Row

FRAME, FACE, AT = COLUMN_INDEX["frame"], COLUMN_INDEX["face_id"], COLUMN_INDEX["t"]
FIRST, LAST = COLUMN_INDEX[MEASURES[0]], COLUMN_INDEX[MEASURES[-1]] + 1


class Clock(NamedTuple):
    """How the time of a recording is divided: into stretches of equal length, and into the epochs of all."""

    stretches: int
    span_s: float
    epoch_starts: Sequence[float]

    def cell(self, at_s: float) -> tuple[int, int]:
        """The indices of the stretch and of the epoch in which a time lies."""
        stretch = int(self.stretches * at_s / self.span_s)
        return min(max(stretch, 0), self.stretches - 1), epoch_at(self.epoch_starts, at_s)


class Person:
    """Adds frames up over stretches of time, for the figures, and over epochs, for the tables.

    Rows come in the order of time, and all faces of a frame one after the other. A frame with several faces
    goes to the `undecided`, and comes back by `add_decided` when all rows have passed by: which of them
    counts depends on the whole recording. Frames of the same stretch and epochs are held back and added up
    at once, which is much faster than one by one. `tallies` has the epochs that all participants share, by
    their index, `own_tallies` those between the participant's own markers.
    """

    def __init__(self, clock: Clock, own_epochs: Sequence[Epoch], undecided: FrameSpool) -> None:
        stretches = clock.stretches
        self._clock = clock
        self._undecided = undecided
        self.own_epochs = own_epochs
        self._own_starts = [epoch.start_s for epoch in own_epochs]
        self._sums = [array("d", bytes(8 * stretches)) for _ in MEASURES]
        self._counts = array("L", bytes(array("L").itemsize * stretches))
        self._faces: list[Row] = []
        self._frame: Row | None = None
        self._held: list[Row] = []
        self._held_frames = 0
        self._cell = (0, 0, 0)
        self.tallies: dict[int, Tally] = {}
        self.own_tallies: dict[int, Tally] = {}
        self.other_faces: set[int] = set()
        self.frames_with_others = 0
        self.first_s = self.last_s = 0.0
        self._is_new = True

    def add(self, row: Row) -> None:
        """Take a row: a face of a frame, or a frame without one."""
        if self._frame is None or self._frame[FRAME] != row[FRAME]:
            self._finish_frame()
            self._frame = row
        if row[FACE] is not None:
            self._faces.append(row)

    def add_decided(self, faces: Sequence[Row], weights: Weights) -> None:
        """Take one of the undecided frames; their order does not matter."""
        main = main_face(faces, weights)
        self.other_faces.update(row[FACE] for row in faces if row is not main)
        self.frames_with_others += 1
        self._hold(main[AT], main)

    def finish(self) -> None:
        """Take what is left, as nothing more comes."""
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
        if self._is_new:
            self.first_s, self._is_new = at_s, False
        self.last_s = at_s
        if len(self._faces) > 1:
            self._undecided.add(self._faces)
        else:
            self._hold(at_s, self._faces[0] if self._faces else None)
        self._frame, self._faces = None, []

    def _hold(self, at_s: float, main: Row | None) -> None:
        """Take a frame of this time, with its main face, if it has one."""
        cell = (*self._clock.cell(at_s), epoch_at(self._own_starts, at_s))
        if cell != self._cell or self._held_frames == MAX_HELD:
            self._add_held()
            self._cell = cell
        self._held_frames += 1
        if main is not None:
            self._held.append(main)

    def _add_held(self) -> None:
        if not self._held_frames:
            return
        for tally in self._tallies():
            tally.frames += self._held_frames
            tally.add(self._held)
        stretch = self._cell[0]
        self._counts[stretch] += len(self._held)
        columns = zip(*(row[FIRST:LAST] for row in self._held), strict=True)
        for measure, values in enumerate(columns):
            self._sums[measure][stretch] += sum(values)
        self._held, self._held_frames = [], 0

    def _tallies(self) -> Iterator[Tally]:
        """Those of the current epochs."""
        _, epoch, own_epoch = self._cell
        yield self.tallies.get(epoch) or self.tallies.setdefault(epoch, Tally())
        if self.own_epochs:
            yield self.own_tallies.get(own_epoch) or self.own_tallies.setdefault(own_epoch, Tally())
