"""A room as one ZIP file, made piece by piece: an hour of thirty people never lies in memory.

samples.csv (or samples.parquet), markers.csv, participants.csv, room.json, report.html

All is read from one snapshot of the database: people who join, set markers or are deleted meanwhile change
nothing.
"""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from itertools import islice
from typing import Any

from sqlalchemy import Engine

from webapp.export.codebook import COLUMNS, MARKER_COLUMNS, PARTICIPANT_COLUMNS, Column
from webapp.export.csv import CsvTable
from webapp.export.markers import MarkerLabels
from webapp.export.parquet import ParquetTable
from webapp.export.report import Report
from webapp.export.rows import marker_rows, participant_rows, room_json, sample_row
from webapp.export.snapshot import MAX_ROWS, SELECTED, Closable, RoomSnapshot
from webapp.export.tables import Row, Table
from webapp.store import models
from webapp.store.database import snapshot

SHOWN = tuple(SELECTED.index(name) for name in (*models.probability_columns("smooth"), "valence"))
"""The indices in a sample of what the report shows."""


def write_export(engine: Engine, code: str, about: Mapping[str, Any], form: str) -> Iterator[bytes]:
    """The pieces of a room's ZIP file; `form` is `csv` or `parquet`, `about` goes into `room.json`."""
    sink = _Sink()
    with snapshot(engine) as connection, zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        room = RoomSnapshot(connection, code)
        report = Report(room.room.name, room.recordings, room.markers, room.aliases)
        with closing(_write_samples(archive, room, report, form)) as batches:
            for _ in batches:
                yield sink.take()
        _write_table(archive, "markers.csv", MARKER_COLUMNS, marker_rows(room))
        _write_table(archive, "participants.csv", PARTICIPANT_COLUMNS, participant_rows(room))
        archive.writestr(_entry("room.json"), json.dumps(room_json(room, about), indent=2))
        with archive.open(_entry("report.html"), "w") as file:
            for piece in report.html():
                file.write(piece.encode())
                yield sink.take()
    yield sink.take()


class _Sink(io.RawIOBase):
    """Takes what the ZIP file writes, and gives it away."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:  # noqa: ANN401 - any buffer
        self._pieces.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


def _entry(name: str) -> zipfile.ZipInfo:
    """A file of the ZIP that is dated now, in this machine's time zone, as ZIP files are."""
    entry = zipfile.ZipInfo(name, time.localtime()[:6])
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _write_samples(archive: zipfile.ZipFile, room: RoomSnapshot, report: Report, form: str) -> Closable[None]:
    """Write all samples; every step of the iterator is a batch of rows."""
    with archive.open(_entry(f"samples.{form}"), "w", force_zip64=True) as file:
        table: Table = ParquetTable(file, COLUMNS) if form == "parquet" else CsvTable(file, COLUMNS)
        with closing(_rows(room, report)) as rows:
            while batch := list(islice(rows, MAX_ROWS)):
                table.write(batch)
                yield
        table.close()


def _rows(room: RoomSnapshot, report: Report) -> Closable[Row]:
    for recording in room.recordings:
        labels = MarkerLabels(room, recording)
        with closing(room.samples(recording)) as samples:
            for sample in samples:
                participant_id, frame, timestamp_ms = sample[:3]
                shown = None if sample[SHOWN[-1]] is None else [sample[index] for index in SHOWN]
                report.add(recording.number, participant_id, frame, timestamp_ms, shown)
                marker = labels.of(participant_id, frame, timestamp_ms)
                yield sample_row(
                    sample, room.aliases[participant_id], recording, marker, room.labels[participant_id]
                )


def _write_table(archive: zipfile.ZipFile, name: str, columns: Sequence[Column], rows: Sequence[Row]) -> None:
    with archive.open(_entry(name), "w") as file:
        CsvTable(file, columns).write(rows)
