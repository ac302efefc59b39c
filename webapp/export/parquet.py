"""Tables as Parquet."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from webapp.export.codebook import Column
from webapp.export.tables import Row

BATCHES_IN_GROUP = 10
"""Parquet is read best in groups of many rows."""


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
