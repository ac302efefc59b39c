"""`MIEN_RETENTION_DAYS` on a real server and its database: old rooms go with everything, others stay."""

from __future__ import annotations

import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.serving import Server
from tests.test_access import signed_in
from tests.test_rooms_server import TOKEN, api, export, make_room, person, rows, wait_until_stored

DAYS = 30
DAY_MS = 86_400_000
TABLES = ("room", "participant", "recording", "marker", "sample")


def record_some(server: Server, room: str, jpeg: bytes) -> None:
    with person(server) as one:
        one.join(room)
        api(server, "POST", f"/rooms/{room}/recording", {"state": "started"})
        api(server, "POST", f"/rooms/{room}/markers", {"label": "now"})
        for _ in range(3):
            one.send(jpeg)
    wait_until_stored(server, room, 3)


def database(server: Server) -> sqlite3.Connection:
    return sqlite3.connect(Path(server.settings["MIEN_DATA_DIR"]) / "mien.sqlite")


def counts(server: Server) -> dict[str, int]:
    """The rows of each table."""
    with closing(database(server)) as connection:
        return {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - of TABLES
            for table in TABLES
        }


def make_older(server: Server, room: str, days: float) -> None:
    """Date a room back, as if it had been made so many days ago."""
    made_ms = 1000 * time.time() - days * DAY_MS
    with closing(database(server)) as connection, connection:
        changed = connection.execute("UPDATE room SET created_ms = ? WHERE code = ?", (made_ms, room))
        assert changed.rowcount == 1


@pytest.mark.parametrize(("setting", "kept"), [(str(DAYS), 1), ("0", 2)])
def test_rooms_over_the_limit_are_deleted_with_everything_and_no_others(
    astronaut_jpeg: bytes, setting: str, kept: int
) -> None:
    server = Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN)
    with server:
        old, new = make_room(server), make_room(server)
        for room in (old, new):
            record_some(server, room, astronaut_jpeg)
        one_room = {"room": 1, "participant": 1, "recording": 1, "marker": 1, "sample": 3}
        assert counts(server) == {table: 2 * number for table, number in one_room.items()}
    make_older(server, old, DAYS + 0.01)
    make_older(server, new, DAYS - 0.01)
    server.settings["MIEN_RETENTION_DAYS"] = setting
    with server:
        time.sleep(1.0)  # the first look is at the start, the next ones every hour
        assert api(server, "GET", f"/rooms/{old}").status_code == (404 if kept == 1 else 200)
        assert len(rows(export(server, new)["samples.csv"])) == 3
        assert counts(server) == {table: kept * number for table, number in one_room.items()}
        shown = re.sub(r"<[^>]+>", "", signed_in(server).open("/host").text)
        assert (f"{DAYS} days after they were made" in shown) == (kept == 1), "hosts are told"
