"""A room as one ZIP file, made piece by piece: an hour of thirty people never lies in memory.

samples.csv (or samples.parquet), markers.csv, participants.csv, room.json, report.html
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, func, select

from webapp.export.codebook import COLUMNS, code_book
from webapp.export.report import Report
from webapp.store import models
from webapp.store.mapping import BOX_COLUMNS, POSE_COLUMNS, marker_of
from webapp.store.records import MarkerRecord

ROWS_AT_ONCE = 1000
BATCHES_IN_GROUP = 20
"""Parquet is read best in groups of many rows."""
MARKER_REACH_MS = 1000.0
"""A marker belongs to no frame that is further away."""

Row = Sequence[Any]
Labels = dict[tuple[str, int], list[str]]
"""The labels of markers by participant and frame."""


def write_export(engine: Engine, code: str, about: Mapping[str, Any], form: str) -> Iterator[bytes]:
    """The pieces of a room's ZIP file; `form` is `csv` or `parquet`, `about` goes into `room.json`."""
    sink = _Sink()
    with engine.connect() as connection, zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        room = connection.execute(select(models.Room.__table__).where(models.Room.code == code)).one()
        source = _Source(connection, code)
        report = Report(room.name, source.recordings, source.markers)
        for _ in _write_samples(archive, source, report, form):
            yield sink.take()
        archive.writestr("markers.csv", _csv(_marker_rows(source)))
        archive.writestr("participants.csv", _csv(_participant_rows(source)))
        archive.writestr("room.json", json.dumps(_room_json(room, source, about), indent=2))
        archive.writestr("report.html", report.html())
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


class _Source:
    """What the database has of a room."""

    def __init__(self, connection: Connection, code: str) -> None:
        self._connection = connection.execution_options(yield_per=ROWS_AT_ONCE)
        last = select(func.max(models.Sample.timestamp_ms)).where(
            models.Sample.recording_id == models.Recording.id
        )
        of_room = select(
            models.Recording.__table__,
            func.coalesce(models.Recording.stopped_ms, last.scalar_subquery()).label("end_ms"),
        ).where(models.Recording.room == code)
        self.recordings = connection.execute(of_room.order_by(models.Recording.id)).all()
        markers = select(models.Marker.__table__).where(models.Marker.room == code)
        self.markers = [
            marker_of(row) for row in connection.execute(markers.order_by(models.Marker.at_ms)).all()
        ]
        people = select(models.Participant.__table__).where(models.Participant.room == code)
        self.participants = connection.execute(people.order_by(models.Participant.consented_ms)).all()
        self.counts: dict[str, int] = {
            row.participant_id: row.samples
            for row in connection.execute(
                select(models.Sample.participant_id, func.count().label("samples")).group_by(
                    models.Sample.participant_id
                )
            )
        }

    def samples(self, recording_id: int) -> Iterable[Any]:
        """The samples of a recording in the order of time."""
        table = models.Sample.__table__
        return self._connection.execute(
            select(table)
            .where(table.c.recording_id == recording_id)
            .order_by(table.c.timestamp_ms, table.c.id)
        )

    def labels(self, recording_id: int) -> Labels:
        """Where the markers of a recording go: to the nearest frame of each participant."""
        labels: Labels = {}
        for marker in self.markers:
            for place in self._nearest(recording_id, marker.at_ms).values():
                labels.setdefault(place, []).append(marker.label)
        return labels

    def _nearest(self, recording_id: int, at_ms: float) -> dict[str, tuple[str, int]]:
        table = models.Sample.__table__
        around = self._connection.execute(
            select(table.c.participant_id, table.c.frame, table.c.timestamp_ms).where(
                table.c.recording_id == recording_id,
                table.c.timestamp_ms.between(at_ms - MARKER_REACH_MS, at_ms + MARKER_REACH_MS),
            )
        ).all()
        nearest_last = sorted(around, key=lambda row: -abs(row.timestamp_ms - at_ms))
        return {row.participant_id: (row.participant_id, row.frame) for row in nearest_last}


class _Table(Protocol):
    """A file of samples that is being written."""

    def write(self, rows: list[Row]) -> None: ...

    def close(self) -> None: ...


def _write_samples(archive: zipfile.ZipFile, source: _Source, report: Report, form: str) -> Iterator[None]:
    """Write all samples; every step of the iterator is a batch of rows."""
    with archive.open(f"samples.{form}", "w", force_zip64=True) as file:
        table: _Table = _ParquetTable(file) if form == "parquet" else _CsvTable(file)
        for batch in _batches(_rows(source, report)):
            table.write(batch)
            yield
        table.close()


def _rows(source: _Source, report: Report) -> Iterator[Row]:
    aliases = {participant.id: participant.alias for participant in source.participants}
    for number, recording in enumerate(source.recordings, 1):
        labels = source.labels(recording.id)
        for sample in source.samples(recording.id):
            report.add(number, aliases[sample.participant_id], sample)
            marker = "; ".join(labels.get((sample.participant_id, sample.frame), ()))
            yield _row(sample, aliases[sample.participant_id], recording.started_ms, number, marker)


def _row(sample: Any, alias: str, started_ms: float, number: int, marker: str) -> Row:  # noqa: ANN401
    """A sample as the values of `COLUMNS`."""
    values = sample._mapping
    offset_ms = sample.clock_offset_ms
    return (
        *(sample.participant_id, alias, sample.frame, iso(sample.timestamp_ms)),
        round((sample.timestamp_ms - started_ms) / 1000, 4),
        sample.face_id or None,
        *(_rounded(values[name], 2) for name in BOX_COLUMNS),
        _rounded(sample.score, 4),
        *(_rounded(values[name], 2) for name in POSE_COLUMNS),
        *(_rounded(values[name], 6) for name in models.probability_columns("raw")),
        _rounded(sample.valence, 6),
        *(_rounded(values[name], 6) for name in models.probability_columns("smooth")),
        *(_rounded(values[name], 6) for name in models.probability_columns("relative")),
        *(iso(sample.received_ms), iso(sample.captured_ms)),
        None if offset_ms is None else round(offset_ms / 1000, 4),
        *(sample.width, sample.height, sample.model, number, marker or None),
    )


class _CsvTable:
    """RFC 4180 with one line of names."""

    def __init__(self, file: Any) -> None:  # noqa: ANN401 - a binary file of zipfile's
        self._file = file
        self.write([[column.name for column in COLUMNS]])

    def write(self, rows: list[Row]) -> None:
        self._file.write(_csv(rows).encode())

    def close(self) -> None:
        """Nothing is held back."""


class _ParquetTable:
    """Needs pyarrow, which requirements-lab.txt brings."""

    def __init__(self, file: Any) -> None:  # noqa: ANN401 - a binary file of zipfile's
        import pyarrow
        from pyarrow import parquet

        types = {"text": pyarrow.string(), "whole": pyarrow.int64(), "number": pyarrow.float64()}
        self._arrow = pyarrow
        self._schema = pyarrow.schema([(column.name, types[column.kind]) for column in COLUMNS])
        self._writer = parquet.ParquetWriter(_Counting(file), self._schema)
        self._held: list[Any] = []

    def write(self, rows: list[Row]) -> None:
        columns = list(zip(*rows, strict=True)) or [()] * len(COLUMNS)
        arrays = [
            self._arrow.array(values, field.type) for values, field in zip(columns, self._schema, strict=True)
        ]
        self._held.append(self._arrow.record_batch(arrays, schema=self._schema))
        if len(self._held) == BATCHES_IN_GROUP:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        self._writer.write_table(self._arrow.Table.from_batches(self._held, self._schema))
        self._held = []


class _Counting(io.RawIOBase):
    """A file that can only be written to, and knows how far that went; pyarrow asks."""

    def __init__(self, file: Any) -> None:  # noqa: ANN401 - a binary file of zipfile's
        self._file = file
        self._written = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:  # noqa: ANN401 - any buffer
        self._file.write(bytes(data))
        self._written += len(data)
        return len(data)

    def tell(self) -> int:
        return self._written


def _marker_rows(source: _Source) -> Iterator[Row]:
    yield ("recording", "timestamp", "t", "label", "source")
    for marker in source.markers:
        number, t = _in_recording(marker, source.recordings)
        yield (number, iso(marker.at_ms), t, marker.label, marker.source)


def _in_recording(marker: MarkerRecord, recordings: Sequence[Any]) -> tuple[int | None, float | None]:
    """The number of the recording that went on at a marker's time, and the seconds since its start."""
    for number, recording in enumerate(recordings, 1):
        if recording.started_ms <= marker.at_ms <= (recording.stopped_ms or float("inf")):
            return number, round((marker.at_ms - recording.started_ms) / 1000, 4)
    return None, None


def _participant_rows(source: _Source) -> Iterator[Row]:
    yield ("participant", "alias", "consented", "information_version", "left", "baseline", "samples")
    for one in source.participants:
        left = iso(one.left_ms) if one.left_ms else None
        yield (
            *(one.id, one.alias, iso(one.consented_ms), one.information_version, left),
            *(json.dumps(one.baseline) if one.baseline else None, source.counts.get(one.id, 0)),
        )


def _room_json(room: Any, source: _Source, about: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ANN401
    return {
        "code": room.code,
        "name": room.name,
        "information": room.information,
        "settings": room.settings,
        "created": iso(room.created_ms),
        "closed": iso(room.closed_ms) if room.closed_ms else None,
        "recordings": [
            {
                "number": number,
                "started": iso(recording.started_ms),
                "stopped": iso(recording.stopped_ms) if recording.stopped_ms else None,
            }
            for number, recording in enumerate(source.recordings, 1)
        ],
        "participants": len(source.participants),
        "samples": sum(source.counts.get(one.id, 0) for one in source.participants),
        **about,
        "code_book": code_book(),
    }


def iso(at_ms: float) -> str:
    """`2026-05-04T10:11:12.345Z`; a clock that is out of all range is left as a number."""
    try:
        moment = datetime.fromtimestamp(at_ms / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return str(at_ms)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _csv(rows: Iterable[Row]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    batch: list[Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == ROWS_AT_ONCE:
            yield batch
            batch = []
    yield batch
