"""`MIEN_RETENTION_DAYS` on a real server and its database: old rooms go with everything, others stay."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select

from tests.helpers.host_browser import signed_in
from tests.helpers.old_rooms import DAY_MS, DAYS, database, make_older, record_some
from tests.helpers.postgres import database_setting
from tests.helpers.room_client import TOKEN, api, export, make_room, rows, wait_until_stored
from tests.helpers.serving import Server
from tests.helpers.stores import LocalStore
from tests.helpers.waiting import wait_until
from webapp.errors import NotJoinedError, StoreError
from webapp.export.store_process import Repositories
from webapp.rooms.housekeeping import RETRY_INTERVAL_S, Housekeeping
from webapp.rooms.room import Room
from webapp.rooms.service import RoomService
from webapp.store.models import Base
from webapp.store.sample_writer import SampleWriter

FIRST_LOOK_S = 1.0
"""Old rooms are looked for at the start, and then every hour."""

TABLES = ("room", "participant", "recording", "marker", "sample")


def counts(server: Server) -> dict[str, int | None]:
    """The rows of each table."""
    tables = Base.metadata.tables
    with database(server) as connection:
        return {name: connection.scalar(select(func.count()).select_from(tables[name])) for name in TABLES}


@pytest.mark.parametrize(
    ("kind", "setting", "kept"), [("SQLite", str(DAYS), 1), ("SQLite", "0", 2), ("PostgreSQL", str(DAYS), 1)]
)
def test_rooms_over_the_limit_are_deleted_with_everything_and_no_others(
    astronaut_jpeg: bytes, kind: str, setting: str, kept: int
) -> None:
    with database_setting(kind) as kind_setting:
        server = Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN, **kind_setting)
        try_retention(server, astronaut_jpeg, setting, kept)


def try_retention(server: Server, astronaut_jpeg: bytes, setting: str, kept: int) -> None:
    """Record in two rooms, date both back, start the server again with the setting, and see what is kept."""
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
        if kept == 2:
            wait_until_stored(server, old, 3)  # counted by the same thread, just before it would delete
            time.sleep(FIRST_LOOK_S)
        else:
            wait_until(lambda: api(server, "GET", f"/rooms/{old}").status_code == 404)
        assert api(server, "GET", f"/rooms/{old}").status_code == (404 if kept == 1 else 200)
        assert len(rows(export(server, new)["samples.csv"])) == 3
        wait_until(lambda: counts(server) == {table: kept * number for table, number in one_room.items()})
        shown = re.sub(r"<[^>]+>", "", signed_in(server).open("/host").text)
        assert (f"{DAYS} days after they were created" in shown) == (kept == 1), "hosts are told"


def test_who_is_in_a_room_when_its_time_is_over_is_told_and_the_others_stay(tmp_path: Path) -> None:
    archive = Repositories(f"sqlite:///{tmp_path / 'test.sqlite'}")
    archive.database.prepare()
    store = LocalStore(archive)
    told: list[tuple[str, str, object]] = []
    room_service = RoomService(store, SampleWriter(store), "model", tell=lambda *what: told.append(what))
    old, new = (room_service.create_room(name, "Text", {}) for name in ("old", "new"))
    room_service.membership.join("in old", old, "", True, None)
    room_service.membership.join("in new", new, "", True, None)
    room_service.recordings.start(old)
    told.clear()
    old.record = replace(old.record, created_ms=old.record.created_ms - (DAYS + 0.01) * DAY_MS)
    assert room_service.delete_old_rooms(DAYS) == (1, 0)
    assert told == [("in old", "parted", {"reason": "deleted"})]
    assert set(room_service.rooms()) == {new.code}
    assert room_service.membership.joined("in new")[0] is new
    with pytest.raises(NotJoinedError):
        room_service.membership.joined("in old")
    assert [saved.room.code for saved in archive.rooms.load_rooms()] == [new.code]
    archive.close()


def test_what_was_deleted_is_noted_although_another_room_could_not_be(tmp_path: Path) -> None:
    archive = Repositories(f"sqlite:///{tmp_path / 'test.sqlite'}")
    archive.database.prepare()
    store = LocalStore(archive)
    room_service = RoomService(store, SampleWriter(store), "model")
    rooms = [room_service.create_room(name, "Text", {}) for name in ("deleted", "kept for now")]
    for room in rooms:
        room.record = replace(room.record, created_ms=room.record.created_ms - (DAYS + 0.01) * DAY_MS)
    delete, broken = room_service.delete_room, [rooms[1]]

    def delete_unless_broken(room: Room) -> None:
        if room in broken:
            raise StoreError("The database is away.")
        delete(room)

    room_service.delete_room = delete_unless_broken  # type: ignore[method-assign]
    noted: list[int] = []
    housekeeping = Housekeeping(room_service, DAYS, noted.append)
    housekeeping.keep_retention(0.0)
    assert noted == [1]
    broken.clear()
    housekeeping.keep_retention(RETRY_INTERVAL_S - 1)
    assert noted == [1]
    housekeeping.keep_retention(RETRY_INTERVAL_S)
    assert noted == [1, 1]
    archive.close()
