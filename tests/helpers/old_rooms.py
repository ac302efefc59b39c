"""Rooms with recordings, dated back in the database of a real server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, update

from tests.helpers.room_client import CLOCK_ERROR_S, ParticipantClient, api, wait_until_stored
from tests.helpers.serving import Server
from webapp.store.database import open_database
from webapp.store.models import Base

DAYS = 30
DAY_MS = 86_400_000


def record_some(server: Server, room: str, jpeg: bytes) -> None:
    """Record three frames of a participant, and a marker before them."""
    with ParticipantClient(server) as one:
        one.join(room)
        api(server, "POST", f"/rooms/{room}/recording", {"state": "started"})
        time.sleep(CLOCK_ERROR_S)
        api(server, "POST", f"/rooms/{room}/markers", {"label": "now"})
        for _ in range(3):
            one.send(jpeg)
    wait_until_stored(server, room, 3)


@contextmanager
def database(server: Server) -> Iterator[Connection]:
    """A transaction of the test's own."""
    sqlite = f"sqlite:///{server.settings['MIEN_DATA_DIR']}/mien.sqlite"
    pool = open_database(server.settings.get("MIEN_DATABASE_URL", sqlite))
    with pool.begin() as connection:
        yield connection
    pool.dispose()


def make_older(server: Server, room: str, days: float) -> None:
    """Date a room back, as if it had been made so many days ago."""
    made_ms = 1000 * time.time() - days * DAY_MS
    rooms = Base.metadata.tables["room"]
    with database(server) as connection:
        changed = connection.execute(update(rooms).where(rooms.c.code == room).values(created_ms=made_ms))
        assert changed.rowcount == 1
