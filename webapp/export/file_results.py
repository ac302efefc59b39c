"""Files of results that grow while inputs are analyzed: CSV, JSON and Parquet.

    results = open_results(path, "csv", keep={"a.jpg"})
    results.add(frames)
    results.close()

`keep` names the inputs whose results of an earlier run stay; those of all others are removed, as they are
about to be analyzed again. JSON is an array with one frame a line, so that a file which was cut off can be
read up to its last whole line. Parquet has its directory at its end, and is whole only after `close`.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any, Literal, Protocol

from webapp.export.codebook import FILE_COLUMNS
from webapp.export.csv import CsvTable, csv_lines, text_cell
from webapp.export.file_rows import file_json, file_rows, printable
from webapp.export.parquet import ParquetTable
from webapp.export.tables import Row, Table
from webapp.protocol import FileFrame

Form = Literal["csv", "json", "parquet"]

KEPT_ROWS = 1000
"""How many rows of an earlier run are copied at once."""


class Results(Protocol):
    """A file of results that is being written; one thread calls it."""

    def add(self, frames: Sequence[FileFrame]) -> None:
        """Write what was found in some frames."""

    def close(self) -> None:
        """Write the end of the file."""


def open_results(path: Path, form: Form, keep: Collection[str] = ()) -> Results:
    """Begin a file of results, or go on with one of which the results of the inputs `keep` stay.

    Raises:
        OSError: it cannot be written.
        ImportError: Parquet is asked for, and pyarrow is not installed.
    """
    keep = {printable(name) for name in keep}
    unfinished = path.with_name(f"{path.name}.part")
    kept = path if keep and path.is_file() else None
    with ExitStack() as undo:
        undo.callback(unfinished.unlink, missing_ok=True)
        file = undo.enter_context(unfinished.open("wb"))
        results: Results = JsonResults(file) if form == "json" else TableResults(file, form)
        undo.callback(results.close)
        if kept is not None:
            _KEEPERS[form](results, kept, keep)
        file.flush()
        unfinished.replace(path)
        undo.pop_all()
    return results


class TableResults:
    """CSV or Parquet, with the columns `FILE_COLUMNS`."""

    def __init__(self, file: io.BufferedWriter, form: Form) -> None:
        self._file = file
        self.table: Table = (
            ParquetTable(file, FILE_COLUMNS) if form == "parquet" else CsvTable(file, FILE_COLUMNS)
        )

    def add(self, frames: Sequence[FileFrame]) -> None:
        """See `Results`."""
        self.table.write([row for frame in frames for row in file_rows(frame)])
        self._file.flush()

    def add_lines(self, lines: bytes) -> None:
        """Copy lines of CSV."""
        self._file.write(lines)

    def close(self) -> None:
        """See `Results`."""
        self.table.close()
        self._file.close()


class JsonResults:
    """An array with one frame a line."""

    def __init__(self, file: io.BufferedWriter) -> None:
        self._file = file
        self._separator = b"[\n"

    def add(self, frames: Sequence[FileFrame]) -> None:
        """See `Results`."""
        self.add_lines(file_json(frame) for frame in frames)
        self._file.flush()

    def add_lines(self, lines: Iterable[str]) -> None:
        """Write frames that are JSON already."""
        for line in lines:
            self._file.write(self._separator + line.encode())
            self._separator = b",\n"

    def close(self) -> None:
        """See `Results`."""
        self._file.write(b"\n]\n" if self._separator == b",\n" else b"[\n]\n")
        self._file.close()


def _keep_csv(results: Any, path: Path, keep: Collection[str]) -> None:  # noqa: ANN401 - its own kind
    names = {text_cell(name) for name in keep}
    with path.open(newline="", encoding="utf-8", errors="replace") as file:
        rows = csv.reader(file)
        next(rows, None)
        for batch in _batches(row for row in rows if len(row) == len(FILE_COLUMNS) and row[0] in names):
            results.add_lines(csv_lines(batch))


def _keep_json(results: Any, path: Path, keep: Collection[str]) -> None:  # noqa: ANN401 - its own kind
    with path.open(encoding="utf-8", errors="replace") as file:
        results.add_lines(line for line in map(_json_line, file) if line and _input_of(line) in keep)


def _keep_parquet(results: Any, path: Path, keep: Collection[str]) -> None:  # noqa: ANN401 - its own kind
    import pyarrow
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(path)
    except pyarrow.ArrowInvalid as error:
        raise OSError(
            f"{path} was cut off and cannot be continued; remove it and run again without --resume"
        ) from error
    with file:
        for batch in file.iter_batches(KEPT_ROWS):
            rows = [tuple(row.values()) for row in batch.to_pylist() if row["input"] in keep]
            if rows:
                results.table.write(rows)


_KEEPERS = {"csv": _keep_csv, "json": _keep_json, "parquet": _keep_parquet}


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while batch := list(islice(rows, KEPT_ROWS)):
        yield batch


def _json_line(line: str) -> str:
    return line.strip().removesuffix(",").removeprefix("[").removesuffix("]")


def _input_of(line: str) -> str | None:
    """The input of a frame in a line; None for the last line of a file that was cut off."""
    try:
        return str(json.loads(line)["input"])
    except (ValueError, KeyError, TypeError):
        return None
