"""A ZIP file that is made piece by piece."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import IO, Any, Literal, Self

from webapp.export.codebook import Column
from webapp.export.csv import CsvTable
from webapp.export.parquet import ParquetTable
from webapp.export.tables import Row, Table

TableForm = Literal["csv", "parquet"]

MAX_ROWS = 1000
"""How many rows are held at once."""


class Archive:
    """A ZIP file of which `take` gives away what was written since the last time; one thread uses it."""

    def __init__(self) -> None:
        self._sink = _Sink()
        self._zip = zipfile.ZipFile(self._sink, "w", zipfile.ZIP_DEFLATED)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def open(self, name: str) -> IO[bytes]:
        """Begin a file; it ends when it is closed, and one is open at a time."""
        return self._zip.open(_entry(name), "w", force_zip64=True)

    def write(self, name: str, content: str | bytes) -> None:
        """Add a whole file."""
        self._zip.writestr(_entry(name), content)

    def write_table(self, name: str, columns: Sequence[Column], rows: Iterable[Row]) -> None:
        """Add a table; the end of its name says whether it is CSV or Parquet."""
        remaining = iter(rows)
        with self.open(name) as file:
            table = new_table(file, columns, "parquet" if name.endswith(".parquet") else "csv")
            while batch := list(islice(remaining, MAX_ROWS)):
                table.write(batch)
            table.close()

    def take(self) -> bytes:
        """What was written since the last time."""
        return self._sink.take()


def new_table(file: IO[bytes], columns: Sequence[Column], form: TableForm) -> Table:
    """Begin a table in a file."""
    return ParquetTable(file, columns) if form == "parquet" else CsvTable(file, columns)


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
