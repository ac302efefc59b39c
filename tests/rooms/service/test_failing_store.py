"""Rooms while the store fails or answers late: memory and database stay alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from tests.helpers.stores import Background, ScriptedStore
from tests.rooms.service.steps import assert_memory_is_as_the_database, join, make_room, send
from webapp.errors import NotHereError, NotJoinedError, StoreError
from webapp.rooms.clock_sync import now_ms
from webapp.rooms.participant import Participant
from webapp.rooms.room import Room
from webapp.rooms.service import RoomService
from webapp.store.sample_writer import SampleWriter

# A store that fails


@pytest.mark.parametrize("what", ["room", "participant"])
def test_a_deletion_that_fails_changes_nothing(
    room_service: RoomService, store: ScriptedStore, writer: SampleWriter, what: str
) -> None:
    room = make_room(room_service)
    participant = join(room_service, room).participant
    room_service.recordings.start(room)
    send(room_service, "c1")
    store.fails = {"begin_room_deletion", "delete_participant"}
    with pytest.raises(StoreError):
        room_service.delete_room(room) if what == "room" else room_service.membership.delete(
            room, participant
        )
    store.fails.clear()
    room_service.settle()
    send(room_service, "c1")
    assert room_service.recordings.status(room)["waiting"] == 2
    assert writer.flush()
    status = room_service.recordings.status(room)
    assert (status["state"], status["stored"], status["lost"]) == ("started", 2, 0)
    assert store.archive.recordings.count_samples(room.code) == 2


@contextmanager
def slow_stop(room_service: RoomService, store: ScriptedStore) -> Iterator[tuple[Room, Background]]:
    """A room whose recording is being stopped until the block ends, and a frame that came meanwhile."""
    room = make_room(room_service)
    join(room_service, room)
    room_service.recordings.start(room)
    with store.slow("stop_recording") as asked, Background(room_service.recordings.stop, room) as stopping:
        assert asked.wait(10)
        time.sleep(0.01)
        send(room_service, "c1")
        yield room, stopping


def test_a_stop_that_fails_loses_no_sample(
    room_service: RoomService, store: ScriptedStore, writer: SampleWriter
) -> None:
    with slow_stop(room_service, store) as (room, stopping):
        store.fails.add("stop_recording")
    assert isinstance(stopping.outcome(), StoreError)
    assert room_service.recordings.status(room)["state"] == "started"
    assert writer.flush()
    assert room_service.recordings.status(room)["stored"] == 1


def test_of_a_stop_that_takes_long_nothing_later_is_recorded(
    room_service: RoomService, store: ScriptedStore, writer: SampleWriter
) -> None:
    with slow_stop(room_service, store) as (room, stopping):
        pass
    assert stopping.outcome() is None
    assert writer.flush()
    assert (
        room_service.recordings.status(room)["stored"]
        == room_service.recordings.status(room)["waiting"]
        == room_service.recordings.status(room)["lost"]
        == 0
    )


# A store that is late

LATE: dict[str, tuple[str, Callable[[RoomService, Room, Participant], object]]] = {
    "create": ("add_room", lambda room_service, room, one: make_room(room_service)),
    "close": ("close_room", lambda room_service, room, one: room_service.close_room(room)),
    "close while recording": (
        "stop_recording",
        lambda room_service, room, one: room_service.close_room(room),
    ),
    "delete": ("begin_room_deletion", lambda room_service, room, one: room_service.delete_room(room)),
    "stop": ("stop_recording", lambda room_service, room, one: room_service.recordings.stop(room)),
    "mark": (
        "add_marker",
        lambda room_service, room, one: room_service.markers.add(room, "Now", None, "api"),
    ),
    "join": ("add_participant", lambda room_service, room, one: join(room_service, room, "c9")),
    "leave": ("update_participant", lambda room_service, room, one: room_service.membership.leave("c1")),
    "remove": (
        "update_participant",
        lambda room_service, room, one: room_service.membership.remove(room, one),
    ),
    "withdraw": (
        "delete_participant",
        lambda room_service, room, one: room_service.membership.withdraw("c1"),
    ),
}


@pytest.mark.parametrize("change", LATE)
def test_what_is_carried_out_after_it_had_failed_leaves_memory_and_database_alike(
    room_service: RoomService, store: ScriptedStore, change: str
) -> None:
    method, ask = LATE[change]
    room = make_room(room_service)
    one = join(room_service, room).participant
    room_service.recordings.start(room)
    before = (room_service.rooms().keys(), dict(room.participants), room.markers)
    store.late.add(method)
    with pytest.raises(StoreError):
        ask(room_service, room, one)
    store.carry_out()
    room_service.settle()
    assert_memory_is_as_the_database(room_service, store)
    if change in ("delete", "withdraw"):  # cannot be taken back: then it has happened
        with pytest.raises(NotJoinedError):
            room_service.membership.joined("c1")
    else:
        assert (room_service.rooms().keys(), dict(room.participants), room.markers) == before
        assert room_service.membership.joined("c1") == (room, one)
        assert room.recording is not None and room.record.closed_ms is None


def test_a_start_that_is_carried_out_late_records_nobody(
    room_service: RoomService, store: ScriptedStore
) -> None:
    room = make_room(room_service)
    store.late.add("start_recording")
    with pytest.raises(StoreError):
        room_service.recordings.start(room)
    store.carry_out()
    room_service.settle()
    assert_memory_is_as_the_database(room_service, store)
    assert room.recording is None


def test_joins_that_are_tried_again_after_a_pause_of_the_store_make_one_participant_each(
    room_service: RoomService, store: ScriptedStore
) -> None:
    room = make_room(room_service)
    for _ in range(3):
        store.late.add("add_participant")
        for number in range(3):
            with pytest.raises(StoreError):
                join(room_service, room, f"c{number}")
        store.carry_out()
    for number in range(3):
        join(room_service, room, f"c{number}")
    assert len(room.participants) == 3
    assert_memory_is_as_the_database(room_service, store)


def test_a_store_that_goes_on_failing_piles_up_no_repairs(
    room_service: RoomService, store: ScriptedStore
) -> None:
    room = make_room(room_service)
    store.fails = {"add_participant", "delete_participant"}
    for number in range(50):
        with pytest.raises(StoreError):
            join(room_service, room, f"c{number}")
    assert store.calls.count("add_participant") == 1, "the first repair is tried before the next change"
    store.fails.clear()
    assert join(room_service, room).participant
    assert_memory_is_as_the_database(room_service, store)


def test_a_late_repair_leaves_alone_what_another_node_has_written_since(
    room_service: RoomService, store: ScriptedStore
) -> None:
    room = make_room(room_service)
    participant = join(room_service, room).participant
    store.fails = {"update_participant"}
    with pytest.raises(StoreError):
        room_service.membership.leave("c1")
    store.fails.clear()
    taken_over = replace(participant.record, baseline=(0.1,) * 7)
    store.archive.rooms.update_participant(taken_over)

    def is_elsewhere() -> None:
        raise NotHereError

    room.guard = is_elsewhere
    room_service.settle()
    assert store.archive.rooms.load_rooms()[0].participants[0].baseline == taken_over.baseline


def test_a_marker_that_is_sent_again_counts_once(room_service: RoomService, store: ScriptedStore) -> None:
    room = make_room(room_service)
    at_ms = now_ms()
    store.late.add("add_marker")
    with pytest.raises(StoreError):
        room_service.markers.add(room, "Now", at_ms, "board")
    store.carry_out()
    for _ in range(2):
        room_service.markers.add(room, "Now", at_ms, "board")
    assert len(room.markers) == 1
    assert_memory_is_as_the_database(room_service, store)
