"""What all tables of an export have in common: rows, and how times are written.

A row has one value for each column, or None if there is none; a time is milliseconds since 1970, UTC. CSV and
Parquet hold the same values.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_YEAR_MS = -62_135_596_800_000
LAST_YEAR_END_MS = 253_402_300_800_000
"""The years 1 to 9999, which ISO 8601 writes with four digits; the end is the first time after them."""

Row = Sequence[Any]


class Table(Protocol):
    """A file of rows that is being written."""

    def write(self, rows: Sequence[Row]) -> None:
        """Write some rows."""

    def close(self) -> None:
        """Write what was held back."""


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
