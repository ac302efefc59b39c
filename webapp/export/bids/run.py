"""One participant in one recording: a run of a subject."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from typing import NamedTuple

from webapp.export.archive import Archive, new_table
from webapp.export.bids.signals import Signals
from webapp.export.codebook import COLUMNS
from webapp.export.markers import MarkerLabels
from webapp.export.rows import sample_row
from webapp.export.snapshot import MAX_ROWS, Closable, Recording, RoomSnapshot
from webapp.export.statistics.main_face import FACE, FaceSizes
from webapp.export.tables import Row

MAX_DISORDER = 64
"""Samples that are sorted by time at once: two workers may finish, and number frames, out of order."""


class RunSource(NamedTuple):
    """A recording as all of its participants' runs need it."""

    recording: Recording
    labels: MarkerLabels
    participants: set[str]
    """Who has samples in it."""


class Run:
    """Writes the samples of a participant as CSV, and keeps their signals.

    Where frames have several faces, the samples are read again for the signals: which face counts depends on
    all of them.
    """

    def __init__(self, room: RoomSnapshot, source: RunSource, participant_id: str) -> None:
        self._room = room
        self._source = source
        self._participant_id = participant_id
        self.physio = b""
        """The signals, resampled and compressed, once all samples were written."""

    def write_samples(self, archive: Archive, name: str) -> Closable[None]:
        """Write the samples into a CSV file; every step of the iterator is a batch of rows."""
        signals, sizes = Signals(self._source.recording.span_s, {}), FaceSizes()
        with archive.open(name) as file, closing(self._batches()) as batches:
            table = new_table(file, COLUMNS, "csv")
            for batch in batches:
                self._count(len(batch))
                table.write(batch)
                for row in batch:
                    if row[FACE] is not None:
                        sizes.add(row)
                signals.add(batch)
                yield
        if signals.had_several_faces:
            signals = Signals(self._source.recording.span_s, sizes.weights())
            with closing(self._batches()) as batches:
                for batch in batches:
                    signals.add(batch)
                    yield
        self.physio = signals.finish()

    def _count(self, rows: int) -> None:
        self._room.rows[self._participant_id] += rows
        self._room.rows_of_recording[self._source.recording.id] += rows

    def _batches(self) -> Closable[list[Row]]:
        with closing(self._rows()) as rows:
            while batch := list(islice(rows, MAX_ROWS)):
                yield batch

    def _rows(self) -> Closable[Row]:
        recording, labels = self._source.recording, self._source.labels
        alias, label = self._room.aliases[self._participant_id], self._room.labels[self._participant_id]
        with closing(self._room.samples_of(recording, self._participant_id)) as samples:
            for sample in _by_time(samples):
                marker = labels.of(self._participant_id, sample[1], sample[2])
                yield sample_row(sample, alias, recording, marker, label)


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
