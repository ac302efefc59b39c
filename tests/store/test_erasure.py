"""What was deleted is in no file of the database any more, at once, while the server goes on running."""

from __future__ import annotations

import secrets
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.exports import CODE, START_MS, add_person, new_archive, sample
from tests.helpers.long_recording import PARTICIPANTS, add_recording
from tests.helpers.old_rooms import DAYS, make_older, record_some
from tests.helpers.room_client import TOKEN, ParticipantClient, api, make_room, wait_until_stored
from tests.helpers.serving import Server
from tests.helpers.waiting import wait_until
from webapp.export.snapshot import MAX_ROWS
from webapp.export.store_process import Repositories
from webapp.store.database import open_database

WAIT_S = 20.0


@pytest.fixture(scope="module")
def room_server() -> Iterator[Server]:
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN) as running:
        yield running


def stored_bytes(folder: Path) -> bytes:
    """All that the database's files have, the log too."""
    return b"".join(path.read_bytes() for path in sorted(folder.glob("*.sqlite*")))


def folder_of(server: Server) -> Path:
    return Path(server.settings["MIEN_DATA_DIR"])


def record_as(server: Server, room: str, alias: str, jpeg: bytes) -> str:
    """Record some frames of somebody; their id."""
    with ParticipantClient(server) as one:
        participant: str = one.join(room, alias=alias)["participant"]
        api(server, "POST", f"/rooms/{room}/recording", {"state": "started"})
        for _ in range(3):
            one.send(jpeg)
    wait_until_stored(server, room, 1)
    return participant


def new_alias() -> str:
    return f"Erase{secrets.token_hex(6)}"


def test_a_deleted_participant_is_in_no_file_right_afterwards(
    room_server: Server, astronaut_jpeg: bytes
) -> None:
    room, alias = make_room(room_server), new_alias()
    participant = record_as(room_server, room, alias, astronaut_jpeg)
    before = stored_bytes(folder_of(room_server))
    assert alias.encode() in before and participant.encode() in before
    assert api(room_server, "DELETE", f"/rooms/{room}/participants/{participant}").status_code == 200
    after = stored_bytes(folder_of(room_server))
    assert (alias.encode() in after, participant.encode() in after) == (False, False)


def test_who_leaves_and_erases_is_in_no_file_right_afterwards(room_server: Server) -> None:
    room, alias = make_room(room_server), new_alias()
    with ParticipantClient(room_server) as one:
        one.join(room, alias=alias)
        assert alias.encode() in stored_bytes(folder_of(room_server))
        assert one.ask("withdraw", {}) == {"erased": True}
    assert alias.encode() not in stored_bytes(folder_of(room_server))


def test_a_deleted_room_is_in_no_file_right_afterwards(room_server: Server, astronaut_jpeg: bytes) -> None:
    room, alias, label = make_room(room_server), new_alias(), f"Marker {secrets.token_hex(6)}"
    participant = record_as(room_server, room, alias, astronaut_jpeg)
    api(room_server, "POST", f"/rooms/{room}/markers", {"label": label})
    assert label.encode() in stored_bytes(folder_of(room_server))
    assert api(room_server, "DELETE", f"/rooms/{room}").status_code == 200
    after = stored_bytes(folder_of(room_server))
    for text in (room, alias, label, participant):
        assert text.encode() not in after


def test_a_room_that_retention_deleted_is_in_no_file(astronaut_jpeg: bytes) -> None:
    server = Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN)
    with server:
        room = make_room(server)
        record_some(server, room, astronaut_jpeg)
    make_older(server, room, DAYS + 0.01)
    assert room.encode() in stored_bytes(folder_of(server))
    server.settings["MIEN_RETENTION_DAYS"] = str(DAYS)
    with server:
        wait_until(lambda: api(server, "GET", f"/rooms/{room}").status_code == 404)
        wait_until(lambda: room.encode() not in stored_bytes(folder_of(server)))  # the log is emptied next


def test_no_value_of_a_deleted_participant_stays_between_those_of_others(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'test.sqlite'}"
    samples = add_recording(url, CODE, 60)
    archive = Repositories(url)
    archive.database.prepare()
    engine = open_database(url)
    with engine.connect() as connection:
        values = connection.exec_driver_sql(
            "SELECT yaw FROM sample WHERE participant_id = ?", (f"{CODE}0005",)
        ).all()
    engine.dispose()
    patterns = [struct.pack(">d", yaw) for (yaw,) in values]
    before = stored_bytes(tmp_path)
    assert len(patterns) == samples // PARTICIPANTS and all(pattern in before for pattern in patterns)
    archive.rooms.delete_participant(f"{CODE}0005")
    after = stored_bytes(tmp_path)
    assert not any(pattern in after for pattern in patterns)
    assert f"{CODE}0005".encode() not in after
    assert archive.recordings.count_samples(CODE) == samples - len(patterns)
    archive.close()


def test_the_log_is_emptied_as_soon_as_an_export_that_reads_from_it_ends(tmp_path: Path) -> None:
    archive = new_archive(f"sqlite:///{tmp_path / 'test.sqlite'}", "ann")
    archive.recordings.start_recording(CODE, START_MS)
    archive.recordings.add_samples([sample("ann", number, number / 100) for number in range(3 * MAX_ROWS)])
    add_person(archive, "ben", alias="Ben whom nobody remembers")
    export_id = archive.exports.open_export(CODE, {}, "csv")
    assert export_id is not None and archive.exports.read_export(export_id)
    archive.rooms.delete_participant("ben")
    assert b"nobody remembers" in stored_bytes(tmp_path), "the export still reads it"
    assert archive.exports.open_export(CODE, {}, "csv") is None, "exports in a row must not keep it"
    add_person(archive, "cat")
    archive.exports.close_export(export_id)
    start_s = time.monotonic()
    while b"nobody remembers" in stored_bytes(tmp_path):
        assert time.monotonic() - start_s < WAIT_S
        time.sleep(0.05)
    while archive.exports.open_export(CODE, {}, "csv") is None:
        assert time.monotonic() - start_s < WAIT_S
        time.sleep(0.05)
    archive.close()


def test_what_was_deleted_before_a_crash_is_gone_after_the_next_start(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'test.sqlite'}"
    archive = new_archive(url)
    add_person(archive, "ben", alias="Ben whom nobody remembers")
    crashed = open_database(url)
    with crashed.begin() as connection:
        connection.exec_driver_sql("DELETE FROM participant")
    assert b"nobody remembers" in stored_bytes(tmp_path), "the log was not emptied"
    again = Repositories(url)
    again.database.prepare()
    assert b"nobody remembers" not in stored_bytes(tmp_path)
    for opened in (again, archive):
        opened.close()
    crashed.dispose()
