from __future__ import annotations

import pickle
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from tests.helpers.postgres import database_setting
from tests.helpers.stores import LocalStore
from tests.helpers.waiting import wait_until
from webapp.accounts.scopes import SCOPES
from webapp.errors import SettingsError
from webapp.export.store_process import Repositories
from webapp.ipc import framing
from webapp.store.database import migrate, open_database
from webapp.store.models import Base
from webapp.store.records import ParticipantRecord, RoomRecord, SampleRecord
from webapp.store.requests import PASSWORDS, in_lane, request_of
from webapp.store.sample_writer import SampleWriter
from webapp.store.service import Service

ROOM = RoomRecord("ABCD2345", "Room", "Text", {}, 1.0)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LocalStore]:
    archive = Repositories(f"sqlite:///{tmp_path / 'test.sqlite'}")
    archive.database.prepare()
    archive.rooms.add_room(ROOM)
    for name in ("one", "two"):
        archive.rooms.add_participant(ParticipantRecord(name, ROOM.code, name, "", "", 2.0))
    archive.recordings.start_recording(ROOM.code, 3.0)
    yield LocalStore(archive)
    archive.close()


def sample(frame: int, participant: str = "one") -> SampleRecord:
    return SampleRecord(1, participant, frame, 10.0 + frame, 10.0 + frame, 5.0, None, 640, 480, "model")


def test_the_migrations_make_the_tables_of_the_models(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'test.sqlite'}")
    migrate(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
        tables: dict[str, str] = dict(
            connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'table'")).all()
        )
    numbered = [
        table.name
        for table in Base.metadata.tables.values()
        if table.dialect_options["sqlite"]["autoincrement"]
    ]
    assert "api_key" in numbered
    assert [name for name in numbered if "AUTOINCREMENT" not in tables[name]] == []
    engine.dispose()


@pytest.mark.parametrize("kind", ["SQLite", "PostgreSQL"])
def test_only_the_very_end_that_failed_is_taken_back(tmp_path: Path, kind: str) -> None:
    """Another node may have stopped the recording, or closed the room, in between."""
    mine_ms, other_ms = 1_790_000_000_000.123, 1_790_000_000_500.456
    with database_setting(kind) as setting:
        archive = Repositories(setting.get("MIEN_DATABASE_URL", f"sqlite:///{tmp_path / 'test.sqlite'}"))
        archive.database.prepare()
        archive.rooms.add_room(ROOM)
        recording = archive.recordings.start_recording(ROOM.code, 3.0)
        for ended_ms, goes_on in ((mine_ms, True), (other_ms, False)):
            archive.recordings.stop_recording(recording.id, ended_ms)
            archive.recordings.resume_recording(recording.id, mine_ms)
            archive.rooms.close_room(ROOM.code, ended_ms)
            archive.rooms.reopen_room(ROOM.code, mine_ms)
            saved = archive.rooms.load_room(ROOM.code)
            assert saved is not None
            assert (saved.recording is not None, saved.room.closed_ms is None) == (goes_on, goes_on)
        archive.close()


@pytest.mark.parametrize("kind", ["SQLite", "PostgreSQL"])
def test_the_database_of_the_first_version_opens_with_its_hosts_and_keys(tmp_path: Path, kind: str) -> None:
    with database_setting(kind) as setting:
        url = setting.get("MIEN_DATABASE_URL", f"sqlite:///{tmp_path / 'test.sqlite'}")
        make_first_version(url)
        archive = Repositories(url)
        archive.database.prepare()
        hosts = archive.accounts.hosts()
        assert [(host.id, host.name, host.created_ms) for host in hosts] == [(1, "Ada", 1.0), (7, "Bob", 2.0)]
        assert len({host.stamp for host in hosts}) == 2 and all(len(host.stamp) > 30 for host in hosts)
        keys = archive.accounts.api_keys()
        assert [(key.id, key.host_id, key.name) for key in keys] == [(3, 1, "one"), (4, 7, "two")]
        assert {key.scopes for key in keys} == {SCOPES[:-1]}, "they go on doing everything"
        archive.accounts.delete_host(7)
        assert [key.id for key in archive.accounts.api_keys()] == [3], "keys still go with their host"
        added = archive.accounts.add_host("Eve", "correct horse battery")
        assert added is not None and added.id == 8
        assert archive.accounts.add_host("Eve", "correct horse battery") is None
        archive.close()


def make_first_version(url: str) -> None:
    """A database as version 0.1.0 left it, with two hosts and their keys."""
    engine = open_database(url)
    migrate(engine, "0001")
    with engine.begin() as connection:
        for statement in (
            "INSERT INTO host VALUES (1, 'Ada', 'hash', 1.0), (7, 'Bob', 'hash', 2.0)",
            "INSERT INTO api_key VALUES (3, 1, 'one', 'secret 1', 3.0), (4, 7, 'two', 'secret 2', 4.0)",
        ):
            connection.exec_driver_sql(statement)
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SELECT setval('host_id_seq', 7), setval('api_key_id_seq', 4)")
    engine.dispose()


def test_a_migration_that_is_cut_short_changes_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'test.sqlite'}"
    engine = open_database(url)
    migrate(engine, "0001")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE kept_api_key (in_the_way INTEGER)")
    with pytest.raises(OperationalError):
        migrate(engine)
    with engine.begin() as connection:
        columns = connection.exec_driver_sql("PRAGMA table_info(host)").all()
        assert [column[1] for column in columns] == ["id", "name", "password_hash", "created_ms"]
        connection.exec_driver_sql("DROP TABLE kept_api_key")
    migrate(engine)
    engine.dispose()


def test_a_password_is_checked_beside_what_else_is_asked() -> None:
    class Slow:
        """A repository in which a password takes until it is let go."""

        def __init__(self) -> None:
            self.let_go = threading.Event()

        @in_lane(PASSWORDS)
        def check_password(self, name: str, password: str) -> None:
            assert self.let_go.wait(10)

        def count_samples(self, code: str) -> int:
            return 7

    slow = Slow()
    password = request_of(Slow.check_password, ("Ada", "guess"))
    requests = [password] * 5 + [request_of(Slow.count_samples, ("ABCD2345",))]
    near, far = socket.socketpair()
    with near, far:
        near.settimeout(10)
        serving = threading.Thread(target=Service(far, {"Slow": slow}, lambda: None).serve)
        serving.start()
        for number, request in enumerate(requests):
            framing.send(near, framing.Message(number, pickle.dumps(request)))
        first = framing.receive(near)
        assert first is not None and (first.request_id, pickle.loads(first.payload)) == (5, 7)
        slow.let_go.set()
        replies = [framing.receive(near) for _ in range(5)]
        assert {reply.request_id for reply in replies if reply} == set(range(5))
        near.shutdown(socket.SHUT_WR)
        serving.join(10)


def test_only_its_owner_can_read_the_database(store: LocalStore, tmp_path: Path) -> None:
    files = list(tmp_path.glob("test.sqlite*"))
    assert files
    assert {file.stat().st_mode & 0o077 for file in files} == {0}


def test_a_batch_that_is_sent_twice_is_stored_once(store: LocalStore) -> None:
    batch = [sample(frame) for frame in range(5)]
    for _ in range(2):
        store.archive.recordings.add_samples(batch)
    assert store.archive.recordings.count_samples(ROOM.code) == 5


def test_a_room_comes_back_with_everything(store: LocalStore) -> None:
    store.archive.recordings.add_samples([sample(frame) for frame in range(5)])
    (saved,) = store.archive.rooms.load_rooms()
    assert saved.room == ROOM
    assert [one.id for one in saved.participants] == ["one", "two"]
    assert saved.recording is not None and saved.recording.id == 1
    assert saved.next_frames == {"one": 5}


def test_while_the_database_fails_samples_wait_and_then_are_stored(store: LocalStore) -> None:
    writer = SampleWriter(store)
    store.failing = True
    writer.put(ROOM.code, [sample(0), sample(1)])
    assert not writer.flush()
    status = writer.status(ROOM.code)
    assert (status.stored, status.waiting, status.lost, status.problem) == (0, 2, 0, "disk full")
    store.failing = False
    assert writer.flush()
    status = writer.status(ROOM.code)
    assert (status.stored, status.waiting, status.lost, status.problem) == (2, 0, 0, None)


def test_the_buffer_is_bounded_and_what_does_not_fit_is_counted(store: LocalStore) -> None:
    writer = SampleWriter(store, capacity=3)
    store.failing = True
    writer.put(ROOM.code, [sample(frame) for frame in range(5)])
    writer.flush()
    assert (writer.status(ROOM.code).waiting, writer.status(ROOM.code).lost) == (3, 2)


def test_nothing_is_written_of_somebody_who_was_deleted(store: LocalStore) -> None:
    writer = SampleWriter(store)
    writer.put(ROOM.code, [sample(0, "one"), sample(0, "two")])
    writer.forget(["one"])
    store.archive.rooms.delete_participant("one")
    writer.put(ROOM.code, [sample(1, "one")])
    writer.flush()
    store.archive.recordings.add_samples([sample(2, "one")])
    assert store.archive.recordings.count_samples(ROOM.code) == 1


def test_a_running_writer_stores_without_being_asked(store: LocalStore) -> None:
    writer = SampleWriter(store)
    writer.start()
    writer.put(ROOM.code, [sample(0)])
    wait_until(lambda: store.archive.recordings.count_samples(ROOM.code) == 1)
    writer.stop()


@pytest.mark.parametrize(
    "url",
    [
        *("nonsense", "mysql://u:p@h/d", "sqlite+aiosqlite:/", "sqlite:////proc/none/mien.sqlite"),
        *("sqlite:////dev/null/mien.sqlite", "postgresql://u:p@h:port/d", "mysql://x"),
    ],
)
def test_a_database_that_cannot_be_used_names_the_setting(url: str) -> None:
    with pytest.raises(SettingsError, match="MIEN_DATABASE_URL") as error:
        open_database(url)
    assert "u:p" not in str(error.value)
