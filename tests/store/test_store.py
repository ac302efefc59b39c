from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from tests.helpers.waiting import wait_until
from webapp.errors import SettingsError, StoreError
from webapp.store.database import migrate, open_database
from webapp.store.models import Base
from webapp.store.records import ParticipantRecord, RoomRecord, SampleRecord
from webapp.store.repositories import Archive
from webapp.store.sample_writer import Writer

ROOM = RoomRecord("ABCD2345", "Room", "Text", {}, 1.0)


class LocalStore:
    """Asks an archive without a process between; fails while `failing`."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self.failing = False

    def call(self, method: Any, *arguments: Any, **named: Any) -> Any:
        if self.failing:
            raise StoreError("disk full")
        return method(self.archive, *arguments, **named)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LocalStore]:
    archive = Archive(f"sqlite:///{tmp_path / 'test.sqlite'}")
    archive.prepare()
    archive.add_room(ROOM)
    for name in ("one", "two"):
        archive.add_participant(ParticipantRecord(name, ROOM.code, name, "", "", 2.0))
    archive.start_recording(ROOM.code, 3.0)
    yield LocalStore(archive)
    archive.close()


def sample(frame: int, participant: str = "one") -> SampleRecord:
    return SampleRecord(1, participant, frame, 10.0 + frame, 10.0 + frame, 5.0, None, 640, 480, "model")


def test_the_migrations_make_the_tables_of_the_models(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'test.sqlite'}")
    migrate(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    engine.dispose()


def test_only_its_owner_can_read_the_database(store: LocalStore, tmp_path: Path) -> None:
    files = list(tmp_path.glob("test.sqlite*"))
    assert files
    assert {file.stat().st_mode & 0o077 for file in files} == {0}


def test_a_batch_that_is_sent_twice_is_stored_once(store: LocalStore) -> None:
    batch = [sample(frame) for frame in range(5)]
    for _ in range(2):
        store.archive.add_samples(batch)
    assert store.archive.count_samples(ROOM.code) == 5


def test_a_room_comes_back_with_everything(store: LocalStore) -> None:
    store.archive.add_samples([sample(frame) for frame in range(5)])
    (saved,) = store.archive.load_rooms()
    assert saved.room == ROOM
    assert [one.id for one in saved.participants] == ["one", "two"]
    assert saved.recording is not None and saved.recording.id == 1
    assert (saved.next_frames, saved.stored) == ({"one": 5}, 5)


def test_while_the_database_fails_samples_wait_and_then_are_stored(store: LocalStore) -> None:
    writer = Writer(store)
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
    writer = Writer(store, capacity=3)
    store.failing = True
    writer.put(ROOM.code, [sample(frame) for frame in range(5)])
    writer.flush()
    assert (writer.status(ROOM.code).waiting, writer.status(ROOM.code).lost) == (3, 2)


def test_nothing_is_written_of_somebody_who_was_deleted(store: LocalStore) -> None:
    writer = Writer(store)
    writer.put(ROOM.code, [sample(0, "one"), sample(0, "two")])
    writer.forget(["one"])
    store.archive.delete_participant("one")
    writer.put(ROOM.code, [sample(1, "one")])
    writer.flush()
    store.archive.add_samples([sample(2, "one")])
    assert store.archive.count_samples(ROOM.code) == 1


def test_a_running_writer_stores_without_being_asked(store: LocalStore) -> None:
    writer = Writer(store)
    writer.start()
    writer.put(ROOM.code, [sample(0)])
    wait_until(lambda: store.archive.count_samples(ROOM.code) == 1)
    writer.stop()


@pytest.mark.parametrize("url", ["nonsense", "mysql://u:p@h/d", "sqlite+aiosqlite:/"])
def test_a_database_that_cannot_be_used_names_the_setting(url: str) -> None:
    with pytest.raises(SettingsError, match="MIEN_DATABASE_URL") as error:
        open_database(url)
    assert "u:p" not in str(error.value)
