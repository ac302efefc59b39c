"""A room as one ZIP file, made piece by piece: an hour of thirty people never lies in memory.

csv, parquet    samples.csv (or samples.parquet), markers.csv, participants.csv, summary.csv (and the three as
                Parquet), room.json, report.html, figures/*.svg
bids            see `webapp.export.bids.dataset`

All is read from one snapshot of the database: people who join, set markers or are deleted meanwhile change
nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from itertools import islice
from typing import Any

from sqlalchemy import Engine

from webapp.export.archive import Archive, TableForm, new_table
from webapp.export.bids.dataset import write_bids
from webapp.export.codebook import COLUMNS, MARKER_COLUMNS, PARTICIPANT_COLUMNS
from webapp.export.markers import MarkerLabels
from webapp.export.report.page import Report
from webapp.export.rows import marker_rows, participant_rows, room_json, sample_row
from webapp.export.snapshot import MAX_ROWS, Closable, RoomSnapshot
from webapp.export.statistics.recordings import RecordingStatistics, RoomStatistics
from webapp.export.statistics.summary import SUMMARY_COLUMNS, summary_rows
from webapp.export.tables import Row
from webapp.store.database import snapshot


def write_export(engine: Engine, code: str, about: Mapping[str, Any], form: str) -> Iterator[bytes]:
    """The pieces of a room's ZIP in the form `csv`, `parquet` or `bids`; `about` goes into `room.json`."""
    archive = Archive()
    with snapshot(engine) as connection, archive:
        room = RoomSnapshot(connection, code)
        with closing(_write_files(archive, room, about, form)) as steps:
            for _ in steps:
                yield archive.take()
    yield archive.take()


def _write_files(archive: Archive, room: RoomSnapshot, about: Mapping[str, Any], form: str) -> Closable[None]:
    """Write all files; every step of the iterator is a piece."""
    if form == "bids":
        return write_bids(archive, room, about)
    return _write_tables(archive, room, about, "parquet" if form == "parquet" else "csv")


def _write_tables(
    archive: Archive, room: RoomSnapshot, about: Mapping[str, Any], form: TableForm
) -> Closable[None]:
    with closing(RoomStatistics([])) as statistics:
        yield from _write_samples(archive, room, statistics, form)
        for recording in statistics.recordings:
            yield from recording.finish()
    people = {one.id: one for one in room.participants}
    for ending in dict.fromkeys(("csv", form)):
        archive.write_table(f"markers.{ending}", MARKER_COLUMNS, marker_rows(room))
        archive.write_table(f"participants.{ending}", PARTICIPANT_COLUMNS, participant_rows(room))
        archive.write_table(f"summary.{ending}", SUMMARY_COLUMNS, summary_rows(statistics, people))
        yield
    archive.write("room.json", json.dumps(room_json(room, about), indent=2))
    yield from _write_report(archive, Report(room, statistics, about))


def _write_report(archive: Archive, report: Report) -> Closable[None]:
    with archive.open("report.html") as file:
        for piece in report.html():
            file.write(piece.encode())
            yield
    for name, svg in report.figures():
        archive.write(name, svg)
        yield


def _write_samples(
    archive: Archive, room: RoomSnapshot, statistics: RoomStatistics, form: TableForm
) -> Closable[None]:
    """Write all samples; every step of the iterator is a batch of rows."""
    with archive.open(f"samples.{form}") as file:
        table = new_table(file, COLUMNS, form)
        with closing(_rows(room, statistics)) as rows:
            while batch := list(islice(rows, MAX_ROWS)):
                table.write(batch)
                yield
        table.close()


def _rows(room: RoomSnapshot, statistics: RoomStatistics) -> Closable[Row]:
    """The rows of all samples, which the recordings of `statistics` take too."""
    for recording in room.recordings:
        labels = MarkerLabels(room, recording)
        one = RecordingStatistics(recording, room.markers_of(recording))
        statistics.recordings.append(one)
        with closing(room.samples(recording)) as samples:
            for sample in samples:
                participant_id, frame, timestamp_ms = sample[:3]
                marker = labels.of(participant_id, frame, timestamp_ms)
                alias, label = room.aliases[participant_id], room.labels[participant_id]
                row = sample_row(sample, alias, recording, marker, label)
                one.add(row)
                yield row
