"""Tables as CSV. Spreadsheets open these files, so texts are kept from being taken for formulas."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any

from webapp.export.codebook import Column
from webapp.export.tables import Row, iso

FORMULA = re.compile(r"(^(?=[\t\n])|(?:^|[;\t\n])(?=\s*[=+\-@＝＋－＠]))")  # noqa: RUF001 - full-width too
"""Before what a spreadsheet would take for a formula: at the start of a cell, and after what separates cells
where numbers have a decimal comma."""


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
            cells[index] = text_cell(cells[index])
        return cells


def csv_lines(rows: Iterable[Row]) -> bytes:
    """Rows as lines of CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def text_cell(text: str | None) -> str | None:
    """A text as a cell: line breaks are LF, and whatever could begin a formula has an apostrophe before it.

    Python 3.11 does not quote a lone CR, at which readers of CSV end the row.
    """
    if not text:
        return text
    return FORMULA.sub(r"\1'", text.replace("\r\n", "\n").replace("\r", "\n"))
