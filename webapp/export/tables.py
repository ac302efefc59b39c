"""Tables as CSV and Parquet.

A row has one value for each column, or None where there is none; a time is milliseconds since 1970, UTC.
Both forms hold the same values. Only CSV is opened in spreadsheets, so only there texts are guarded.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from webapp.export.codebook import Column

BATCHES_IN_GROUP = 10
"""Parquet is read best in groups of many rows."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_YEAR_MS = -62_135_596_800_000
LAST_YEAR_END_MS = 253_402_300_800_000
"""The years 1 to 9999, which ISO 8601 writes with four digits; the end is the first time after them."""

FORMULA_STARTS = frozenset("=+-@＝＋－＠")  # noqa: RUF001 - spreadsheets take the full-width signs too
CONTROLS = frozenset("\t\n")

Row = Sequence[Any]


class Table(Protocol):
    """A file of rows that is being written."""

    def write(self, rows: Sequence[Row]) -> None:
        """Write some rows."""

    def close(self) -> None:
        """Write what was held back."""


class CsvTable:
    """RFC 4180 in UTF-8, with one line of names; None is an empty cell."""

    def __init__(self, file: Any, columns: Sequence[Column]) -> None:  # noqa: ANN401 - a binary file of zipfile's
        self._file = file
        self._times = [index for index, column in enumerate(columns) if column.kind == "time"]
        self._texts = [index for index, column in enumerate(columns) if column.kind == "text"]
        self._file.write(csv_lines([[column.name for column in columns]]))

    def write(self, rows: Sequence[Row]) -> None:
        """Write some rows."""
        self._file.write(csv_lines(map(self._cells, rows)))

    def close(self) -> None:
        """Nothing is held back."""

    def _cells(self, row: Row) -> list[Any]:
        cells = list(row)
        for index in self._times:
            cells[index] = iso(cells[index])
        for index in self._texts:
            cells[index] = _cell(cells[index])
        return cells


class ParquetTable:
    """Needs pyarrow, which requirements-lab.txt brings."""

    def __init__(self, file: Any, columns: Sequence[Column]) -> None:  # noqa: ANN401 - a binary file of zipfile's
        import pyarrow
        from pyarrow import parquet

        types = {
            "text": pyarrow.string(),
            "whole": pyarrow.int64(),
            "number": pyarrow.float64(),
            "time": pyarrow.timestamp("ms", tz="UTC"),
        }
        self._arrow = pyarrow
        self._schema = pyarrow.schema([(column.name, types[column.kind]) for column in columns])
        self._writer = parquet.ParquetWriter(_Counting(file), self._schema)
        self._held: list[Any] = []

    def write(self, rows: Sequence[Row]) -> None:
        """Hold some rows back until there are enough for a group."""
        columns = list(zip(*rows, strict=True)) or [()] * len(self._schema)
        arrays = [
            self._arrow.array(values, field.type) for values, field in zip(columns, self._schema, strict=True)
        ]
        self._held.append(self._arrow.record_batch(arrays, schema=self._schema))
        if len(self._held) == BATCHES_IN_GROUP:
            self._flush()

    def close(self) -> None:
        """Write what was held back, and the end of the file."""
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


def csv_lines(rows: Iterable[Row]) -> bytes:
    """Rows as lines of CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _cell(text: str | None) -> str | None:
    """A text as a cell: line breaks are LF, and what could begin a formula has an apostrophe before it.

    Python 3.11 does not quote a lone CR, at which readers of CSV end the row.
    """
    if not text:
        return text
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    is_formula = text[0] in CONTROLS or text.lstrip()[:1] in FORMULA_STARTS
    return f"'{text}" if is_formula else text


def time_ms(at_ms: float | None) -> int | None:
    """A time in whole milliseconds; None where there is none, or it is outside the years 1 to 9999."""
    if at_ms is None or not FIRST_YEAR_MS <= at_ms < LAST_YEAR_END_MS:
        return None
    return math.floor(round(at_ms, 3))  # a float may lie a hair below the millisecond that it means


def iso(at_ms: float | None) -> str | None:
    """A time as `2026-05-04T10:11:12.345Z`; None where `time_ms` has none."""
    whole_ms = time_ms(at_ms)
    if whole_ms is None:
        return None
    moment = EPOCH + timedelta(milliseconds=whole_ms)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
