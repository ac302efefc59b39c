"""One participant in one recording: a run of a subject."""

from __future__ import annotations

import gzip
import heapq
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import groupby, islice
from operator import itemgetter
from typing import NamedTuple

from webapp.export.archive import Archive, new_table
from webapp.export.bids.columns import SIGNALS
from webapp.export.bids.resample import Resampler
from webapp.export.bids.texts import tsv
from webapp.export.codebook import COLUMN_INDEX, COLUMNS
from webapp.export.markers import MarkerLabels
from webapp.export.rows import sample_row
from webapp.export.snapshot import MAX_ROWS, Closable, Recording, RoomSnapshot
from webapp.export.statistics.main_face import Weights, main_face
from webapp.export.tables import Row

FRAME, AT, FACE = (COLUMN_INDEX[name] for name in ("frame", "t", "face_id"))
_VALUES = itemgetter(*(COLUMN_INDEX[name] for name in SIGNALS))

MAX_DISORDER = 64
"""Samples that are sorted by time at once: two workers may finish, and number frames, out of order."""


class RunSource(NamedTuple):
    """A recording as all of its participants' runs need it."""

    recording: Recording
    labels: MarkerLabels
    weights: Weights

    @property
    def participants(self) -> set[str]:
        """Who has samples in it."""
        return {participant_id for participant_id, _ in self.weights}


class Run:
    """Reads the samples of a participant once: writes them as CSV and keeps them resampled and compressed.

    An hour at ten samples a second takes about a megabyte.
    """

    def __init__(self, room: RoomSnapshot, source: RunSource, participant_id: str) -> None:
        self._room = room
        self._source = source
        self._participant_id = participant_id
        self._resampler = Resampler(source.recording.span_s)
        self._bytes = io.BytesIO()
        self._physio = gzip.GzipFile(fileobj=self._bytes, mode="wb", mtime=0)

    def write_samples(self, archive: Archive, name: str) -> Closable[None]:
        """Write the samples into a CSV file; every step of the iterator is a batch of rows."""
        with archive.open(name) as file, closing(self._rows()) as rows:
            table = new_table(file, COLUMNS, "csv")
            frame: list[Row] = []
            while batch := list(islice(rows, MAX_ROWS)):
                table.write(batch)
                frame = self._add_frames([*frame, *batch])
                yield
            self._add_frame(frame)
            self._write(self._resampler.finish(len(SIGNALS)))
            self._physio.close()

    @property
    def physio(self) -> bytes:
        """The resampled signals, once all samples were written."""
        return self._bytes.getvalue()

    def _rows(self) -> Closable[Row]:
        recording, labels = self._source.recording, self._source.labels
        alias, label = self._room.aliases[self._participant_id], self._room.labels[self._participant_id]
        with closing(self._room.samples_of(recording, self._participant_id)) as samples:
            for sample in _by_time(samples):
                marker = labels.of(self._participant_id, sample[1], sample[2])
                yield sample_row(sample, alias, recording, marker, label)

    def _add_frames(self, rows: Sequence[Row]) -> list[Row]:
        """Take all frames but the last, of which more rows may come; that one is returned."""
        frames = [list(found) for _, found in groupby(rows, key=itemgetter(FRAME))]
        for frame in frames[:-1]:
            self._add_frame(frame)
        return frames[-1]

    def _add_frame(self, rows: Sequence[Row]) -> None:
        if not rows:
            return
        faces = [row for row in rows if row[FACE] is not None]
        values = _VALUES(main_face(faces, self._source.weights)) if faces else None
        self._write(self._resampler.add(rows[0][AT], values))

    def _write(self, samples: Iterable[Sequence[float | None]]) -> None:
        width = len(SIGNALS) + 1
        lines = [[*sample, *[None] * (width - len(sample))] for sample in samples]
        if lines:
            self._physio.write(tsv(lines).encode())


def _by_time(samples: Iterator[Row]) -> Iterator[Row]:
    """Samples in the order of time, of those in the order of frames."""
    held: list[tuple[float, int, int, Row]] = []
    for sample in samples:
        entry = (sample[2], sample[1], sample[3], sample)
        if len(held) < MAX_DISORDER:
            heapq.heappush(held, entry)
        else:
            yield heapq.heappushpop(held, entry)[-1]
    while held:
        yield heapq.heappop(held)[-1]
