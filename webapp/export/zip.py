"""A room as one ZIP file, made piece by piece: an hour of thirty people never lies in memory.

samples.csv (or samples.parquet), markers.csv, participants.csv, room.json, report.html

All is read from one snapshot of the database: who joins, marks or is deleted meanwhile changes nothing.
"""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections import Counter, deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import islice
from typing import Any, NamedTuple, TypeAlias, TypeVar

from sqlalchemy import Connection, Engine, func, select

from webapp.export.codebook import COLUMNS, MARKER_COLUMNS, PARTICIPANT_COLUMNS, Column, codebook
from webapp.export.report import Report
from webapp.export.tables import CsvTable, ParquetTable, Row, Table, iso, time_ms
from webapp.store import models
from webapp.store.database import snapshot
from webapp.store.mapping import BOX_COLUMNS, POSE_COLUMNS, marker_of
from webapp.store.records import MarkerRecord

MAX_ROWS = 1000
MARKER_REACH_MS = 1000.0
"""A marker belongs to no frame that is further away."""

_SAMPLE = models.Sample.__table__

T = TypeVar("T")
_Closable: TypeAlias = Generator[T, None, None]
"""Closed by whoever reads it: an export that is broken off must leave no cursor open."""

NUMBERS = {
    **dict.fromkeys(BOX_COLUMNS, 2),
    "score": 4,
    **dict.fromkeys(POSE_COLUMNS, 2),
    **dict.fromkeys(models.probability_columns("raw"), 6),
    "valence": 6,
    **dict.fromkeys(models.probability_columns("smooth"), 6),
    **dict.fromkeys(models.probability_columns("relative"), 6),
}
"""The numbers of a face in the order of the export, and how many decimals each gets."""

DIGITS = tuple(NUMBERS.values())
SELECTED = (
    *("participant_id", "frame", "timestamp_ms", "face_id", "received_ms", "captured_ms"),
    *("clock_offset_ms", "width", "height", "model", *NUMBERS),
)
FIRST_NUMBER = len(SELECTED) - len(NUMBERS)
SHOWN = tuple(SELECTED.index(name) for name in (*models.probability_columns("smooth"), "valence"))
"""Where a row has what the report shows."""


class _Recording(NamedTuple):
    """A recording of the room: `number` counts from 1, `end_ms` is its stop, or its last sample so far."""

    number: int
    id: int
    started_ms: float
    stopped_ms: float | None
    end_ms: float | None
    early: int
    """Its samples of frames that were captured before it began; earlier versions of Mien kept them."""

    def seconds_at(self, at_ms: float) -> float:
        """The time since its start, in seconds."""
        return round((at_ms - self.started_ms) / 1000, 4)


def write_export(engine: Engine, code: str, about: Mapping[str, Any], form: str) -> Iterator[bytes]:
    """The pieces of a room's ZIP file; `form` is `csv` or `parquet`, `about` goes into `room.json`."""
    sink = _Sink()
    with snapshot(engine) as connection, zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        source = _Source(connection, code)
        report = Report(source.room.name, source.recordings, source.markers, source.aliases)
        with closing(_write_samples(archive, source, report, form)) as batches:
            for _ in batches:
                yield sink.take()
        _write_table(archive, "markers.csv", MARKER_COLUMNS, _marker_rows(source))
        _write_table(archive, "participants.csv", PARTICIPANT_COLUMNS, _participant_rows(source))
        archive.writestr(_entry("room.json"), json.dumps(_room_json(source, about), indent=2))
        with archive.open(_entry("report.html"), "w") as file:
            for part in report.html():
                file.write(part.encode())
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


class _Source:
    """What the snapshot has of a room.

    `marked` has its markers in the order of time, each with the recording that was running then. `rows` and
    `rows_of_recording` count the samples that were given, by participant and by recording.
    """

    def __init__(self, connection: Connection, code: str) -> None:
        self._connection = connection.execution_options(yield_per=MAX_ROWS)
        self.room = connection.execute(select(models.Room.__table__).where(models.Room.code == code)).one()
        self.recordings = self._recordings(code)
        markers = select(models.Marker.__table__).where(models.Marker.room == code)
        self.markers = [
            marker_of(row) for row in connection.execute(markers.order_by(models.Marker.at_ms)).all()
        ]
        self.marked = [(self._recording_at(marker.at_ms), marker) for marker in self.markers]
        people = select(models.Participant.__table__).where(models.Participant.room == code)
        self.participants = connection.execute(people.order_by(models.Participant.consented_ms)).all()
        self.aliases = {one.id: one.alias for one in self.participants}
        self.rows: Counter[str] = Counter()
        self.rows_of_recording: Counter[int] = Counter()

    def samples(self, recording: _Recording) -> _Closable[Sequence[Any]]:
        """The samples of a recording in the order of time, with the columns `SELECTED`."""
        found = self._connection.execute(
            select(*(_SAMPLE.c[name] for name in SELECTED))
            .where(_SAMPLE.c.recording_id == recording.id, _SAMPLE.c.timestamp_ms >= recording.started_ms)
            .order_by(_SAMPLE.c.timestamp_ms, _SAMPLE.c.id)
        )
        with found:
            for sample in found:
                self.rows[sample[0]] += 1
                self.rows_of_recording[recording.id] += 1
                yield sample

    def nearest_frames(self, recording: _Recording, at_ms: float) -> list[tuple[str, int]]:
        """The participants with a frame around a time, each with the number of the nearest."""
        columns = _SAMPLE.c
        around = self._connection.execute(
            select(columns.participant_id, columns.frame, columns.timestamp_ms).where(
                columns.recording_id == recording.id,
                columns.timestamp_ms >= recording.started_ms,
                columns.timestamp_ms.between(at_ms - MARKER_REACH_MS, at_ms + MARKER_REACH_MS),
            )
        ).all()
        nearest_last = sorted(around, key=lambda row: -abs(row.timestamp_ms - at_ms))
        return list({row.participant_id: row.frame for row in nearest_last}.items())

    def _recording_at(self, at_ms: float) -> _Recording | None:
        """The recording that was running at a time."""
        now_ms = 1000 * time.time()
        for recording in self.recordings:
            stopped_ms = now_ms if recording.stopped_ms is None else recording.stopped_ms
            if recording.started_ms <= at_ms <= stopped_ms:
                return recording
        return None

    def _recordings(self, code: str) -> list[_Recording]:
        of_recording = models.Sample.recording_id == models.Recording.id
        last = select(func.max(models.Sample.timestamp_ms)).where(of_recording)
        early = (
            select(func.count())
            .select_from(models.Sample)
            .where(of_recording, models.Sample.timestamp_ms < models.Recording.started_ms)
        )
        found = self._connection.execute(
            select(
                models.Recording.id,
                models.Recording.started_ms,
                models.Recording.stopped_ms,
                func.coalesce(models.Recording.stopped_ms, last.scalar_subquery()),
                early.scalar_subquery(),
            )
            .where(models.Recording.room == code)
            .order_by(models.Recording.id)
        ).all()
        return [_Recording(number, *row) for number, row in enumerate(found, 1)]


class _Labels:
    """Which frames of a recording carry which markers; asked for in the order of time.

    Each marker is looked up before its first possible frame, so that a thousand of them never delay a piece.
    """

    def __init__(self, source: _Source, recording: _Recording) -> None:
        self._source = source
        self._recording = recording
        self._coming = deque(marker for marked, marker in source.marked if marked is recording)
        self._labels: dict[tuple[str, int], list[str]] = {}

    def of(self, participant_id: str, frame: int, timestamp_ms: float) -> str | None:
        """The labels of a frame."""
        while self._coming and self._coming[0].at_ms - MARKER_REACH_MS <= timestamp_ms:
            self._place(self._coming.popleft())
        labels = self._labels.get((participant_id, frame))
        return "; ".join(labels) if labels else None

    def _place(self, marker: MarkerRecord) -> None:
        for place in self._source.nearest_frames(self._recording, marker.at_ms):
            self._labels.setdefault(place, []).append(marker.label)


def _write_samples(archive: zipfile.ZipFile, source: _Source, report: Report, form: str) -> _Closable[None]:
    """Write all samples; every step of the iterator is a batch of rows."""
    with archive.open(_entry(f"samples.{form}"), "w", force_zip64=True) as file:
        table: Table = ParquetTable(file, COLUMNS) if form == "parquet" else CsvTable(file, COLUMNS)
        with closing(_rows(source, report)) as rows:
            while batch := list(islice(rows, MAX_ROWS)):
                table.write(batch)
                yield
        table.close()


def _rows(source: _Source, report: Report) -> _Closable[Row]:
    for recording in source.recordings:
        labels = _Labels(source, recording)
        with closing(source.samples(recording)) as samples:
            for sample in samples:
                participant_id, frame, timestamp_ms = sample[:3]
                shown = None if sample[SHOWN[-1]] is None else [sample[index] for index in SHOWN]
                report.add(recording.number, participant_id, frame, timestamp_ms, shown)
                marker = labels.of(participant_id, frame, timestamp_ms)
                yield _row(sample, source.aliases[participant_id], recording, marker)


def _row(sample: Sequence[Any], alias: str, recording: _Recording, marker: str | None) -> Row:
    """A sample as the values of `COLUMNS`."""
    participant_id, frame, timestamp_ms, face_id, received_ms, captured_ms, offset_ms, *sizes, model = sample[
        :FIRST_NUMBER
    ]
    return (
        *(participant_id, alias, frame, time_ms(timestamp_ms), recording.seconds_at(timestamp_ms)),
        face_id or None,
        *(
            None if value is None else round(value, digits)
            for value, digits in zip(sample[FIRST_NUMBER:], DIGITS, strict=True)
        ),
        *(time_ms(received_ms), time_ms(captured_ms)),
        None if offset_ms is None else round(offset_ms / 1000, 4),
        *(*sizes, model, recording.number, marker),
    )


def _write_table(archive: zipfile.ZipFile, name: str, columns: Sequence[Column], rows: Sequence[Row]) -> None:
    with archive.open(_entry(name), "w") as file:
        CsvTable(file, columns).write(rows)


def _marker_rows(source: _Source) -> list[Row]:
    """The values of `MARKER_COLUMNS`."""
    return [
        (
            recording.number if recording else None,
            time_ms(marker.at_ms),
            recording.seconds_at(marker.at_ms) if recording else None,
            marker.label,
            marker.source,
        )
        for recording, marker in source.marked
    ]


def _participant_rows(source: _Source) -> list[Row]:
    """The values of `PARTICIPANT_COLUMNS`."""
    return [
        (
            *(one.id, one.alias, time_ms(one.consented_ms), one.information_version, time_ms(one.left_ms)),
            *(json.dumps(one.baseline) if one.baseline else None, source.rows[one.id]),
        )
        for one in source.participants
    ]


def _room_json(source: _Source, about: Mapping[str, Any]) -> dict[str, Any]:
    room = source.room
    return {
        "code": room.code,
        "name": room.name,
        "information": room.information,
        "settings": room.settings,
        "created": iso(room.created_ms),
        "closed": iso(room.closed_ms),
        "recordings": [
            {
                "number": recording.number,
                "started": iso(recording.started_ms),
                "stopped": iso(recording.stopped_ms),
                "samples": source.rows_of_recording[recording.id],
                "left_out": recording.early,
            }
            for recording in source.recordings
        ],
        "participants": len(source.participants),
        "samples": source.rows.total(),
        **about,
        "code_book": codebook(COLUMNS),
        "code_book_markers": codebook(MARKER_COLUMNS),
        "code_book_participants": codebook(PARTICIPANT_COLUMNS),
    }
