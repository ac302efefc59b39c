"""Rooms while the store is slow: nobody waits for another."""

from __future__ import annotations

import pytest

from tests.helpers.stores import Background, ScriptedStore
from tests.helpers.waiting import CountedLock, wait_until
from tests.rooms.service.steps import assert_memory_is_as_the_database, join, make_room, send
from webapp.errors import (
    NoSuchRoomError,
    NotJoinedError,
    RoomClosedError,
    RoomFullError,
    StoreError,
)
from webapp.rooms.catalogue.all_rooms import AllRooms
from webapp.rooms.membership import Joined
from webapp.rooms.room import Room
from webapp.rooms.service import RoomService
from webapp.store.records import MarkerRecord
from webapp.store.sample_writer import SampleWriter


def test_a_slow_deletion_in_one_room_delays_nobody(room_service: RoomService, store: ScriptedStore) -> None:
    slow, other = make_room(room_service), make_room(room_service)
    with store.slow("begin_room_deletion") as asked, Background(room_service.delete_room, slow) as deleting:
        assert asked.wait(10)
        for room, connection in ((other, "c1"), (slow, "c2")):
            with Background(join, room_service, room, connection) as joining:
                assert isinstance(joining.outcome(5), Joined)
            with Background(room_service.markers.add, room, "Now", None, "api") as marking:
                assert isinstance(marking.outcome(5), MarkerRecord)
        with Background(room_service.recordings.start, other) as starting:
            assert starting.outcome(5) is None
        with Background(make_room, room_service) as making:
            assert isinstance(making.outcome(5), Room)
    assert deleting.outcome() is None
    with pytest.raises(NotJoinedError):
        room_service.membership.joined("c2")


def test_the_data_of_a_room_are_deleted_in_portions_and_others_are_answered_between(
    room_service: RoomService, store: ScriptedStore, writer: SampleWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.rooms.service.MAX_DELETED", 4)
    room, other = make_room(room_service), make_room(room_service)
    join(room_service, room)
    room_service.recordings.start(room)
    for _ in range(10):
        send(room_service, "c1")
    assert writer.flush()
    assert store.archive.recordings.delete_samples(room.code, 1) == 1
    with store.slow("delete_samples") as asked, Background(room_service.delete_room, room) as deleting:
        assert asked.wait(10)
        with Background(join, room_service, other, "c2") as joining:
            assert isinstance(joining.outcome(5), Joined)
        with pytest.raises(NoSuchRoomError):
            room_service.room(room.code)
    assert deleting.outcome() is None
    assert store.calls.count("delete_samples") == 3
    assert (
        store.archive.recordings.count_samples(room.code),
        store.archive.rooms.begun_room_deletions(),
    ) == (0, [])
    assert_memory_is_as_the_database(room_service, store)


@pytest.mark.parametrize("restarted", [False, True])
def test_a_deletion_that_breaks_off_is_finished(
    room_service: RoomService, store: ScriptedStore, writer: SampleWriter, restarted: bool
) -> None:
    room = make_room(room_service)
    join(room_service, room)
    room_service.recordings.start(room)
    send(room_service, "c1")
    assert writer.flush()
    store.fails.add("delete_samples")
    room_service.delete_room(room)
    store.fails.clear()
    assert store.archive.recordings.count_samples(room.code) == 1
    if restarted:
        room_service = RoomService(store, SampleWriter(store), "model")
        assert room_service.rooms() == {}, "it is deleted all the same"
    room_service.finish_deletions()
    assert (
        store.archive.recordings.count_samples(room.code),
        store.archive.rooms.begun_room_deletions(),
    ) == (0, [])


def test_joins_wait_for_a_slow_store_side_by_side(room_service: RoomService, store: ScriptedStore) -> None:
    room = make_room(room_service)
    with store.slow("add_participant") as asked:
        waiting = [Background(join, room_service, room, f"c{number}").__enter__() for number in range(10)]
        assert asked.wait(10)
        wait_until(lambda: store.calls.count("add_participant") == 10, 10)  # not one behind the other
    assert all(isinstance(one.outcome(), Joined) for one in waiting)
    assert len(room.participants) == len({one.record.alias for one in room.participants.values()}) == 10


def test_places_are_kept_while_the_store_is_asked(room_service: RoomService, store: ScriptedStore) -> None:
    room = make_room(room_service, max_participants=1)
    with store.slow("add_participant") as asked, Background(join, room_service, room, "c1"):
        assert asked.wait(10)
        with pytest.raises(RoomFullError):
            join(room_service, room, "c2")


def test_rooms_are_loaded_once_for_all_who_ask(room_service: RoomService, store: ScriptedStore) -> None:
    make_room(room_service)
    fresh, coming = RoomService(store, SampleWriter(store), "model"), CountedLock()
    assert isinstance(fresh.catalogue, AllRooms)
    fresh.catalogue._load._lock = coming  # type: ignore[assignment]
    store.calls.clear()
    with store.slow("load_rooms"):
        store.fails.add("load_rooms")
        waiting = [Background(fresh.rooms).__enter__() for _ in range(5)]
        wait_until(lambda: coming.passed == 5)
    assert all(isinstance(one.outcome(5), StoreError) for one in waiting)
    assert store.calls.count("load_rooms") == 1, "they fail together, not one after the other"
    store.fails.clear()
    assert fresh.rooms().keys() == room_service.rooms().keys()


@pytest.mark.parametrize("ending", ["closed", "deleted"])
def test_who_joins_a_room_that_ends_meanwhile_is_not_in_it(
    room_service: RoomService, store: ScriptedStore, ending: str
) -> None:
    room = make_room(room_service)
    with store.slow("add_participant") as asked, Background(join, room_service, room, "c1") as joining:
        assert asked.wait(10)
        room_service.close_room(room) if ending == "closed" else room_service.delete_room(room)
    assert isinstance(joining.outcome(), RoomClosedError if ending == "closed" else NoSuchRoomError)
    room_service.settle()
    assert_memory_is_as_the_database(room_service, store)
    with pytest.raises(NotJoinedError):
        room_service.membership.joined("c1")
