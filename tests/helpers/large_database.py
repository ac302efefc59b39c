"""A database file with millions of samples, in about a minute for ten million."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.helpers.long_recording import RATE_PER_S, START_MS, add_recording
from webapp.store.models import Sample

SECONDS = 20
"""How much of the recording is made sample by sample; the rest is the same again, later."""

SEATS = 60
"""So that more people can join the thirty who are recorded."""

AGAIN = {"frame": f"frame + n * {SECONDS * RATE_PER_S}"} | {
    name: f"{name} + n * {1000 * SECONDS}.0" for name in ("timestamp_ms", "received_ms", "captured_ms")
}
"""The columns that differ in repetition `n`."""


def make_large_database(path: Path, code: str, samples: int) -> int:
    """Make an SQLite database with one room of at least `samples` samples; how many it has."""
    made = add_recording(f"sqlite:///{path}", code, SECONDS)
    repetitions = -(-samples // made) - 1
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("PRAGMA synchronous = OFF")
        indexes = database.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'sample'"
        ).fetchall()
        for name, _ in indexes:
            database.execute(f"DROP INDEX {name}")
        _repeat(database, repetitions)
        for _, statement in indexes:
            database.execute(statement)
        stopped_ms = START_MS + 1000 * SECONDS * (repetitions + 1)
        database.execute("UPDATE recording SET stopped_ms = ?", (stopped_ms,))
        database.execute("UPDATE room SET settings = ?", (json.dumps({"max_participants": SEATS}),))
        database.execute("PRAGMA journal_mode = WAL")
    return made * (repetitions + 1)


def _repeat(database: sqlite3.Connection, repetitions: int) -> None:
    names = [column.name for column in Sample.__table__.columns if column.name != "id"]
    again = ", ".join(AGAIN.get(name, name) for name in names)
    database.execute("CREATE TEMP TABLE original AS SELECT * FROM sample")
    database.execute(
        "WITH RECURSIVE repetition(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM repetition WHERE n < ?) "
        f"INSERT INTO sample ({', '.join(names)}) SELECT {again} FROM repetition CROSS JOIN original "
        "WHERE n <= ? ORDER BY n",
        (repetitions, repetitions),
    )
