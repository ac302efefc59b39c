"""Setting, changing and deleting markers, on a real database that may fail or be late."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.stores import Background, ScriptedStore, scripted_rooms
from webapp.errors import (
    BadRequestError,
    ForbiddenError,
    NoSuchMarkerError,
    NotJoinedError,
    RoomClosedError,
    StoreError,
)
from webapp.rooms.clock_sync import now_ms
from webapp.rooms.room import Room
from webapp.rooms.service import RoomService
from webapp.store.records import MarkerRecord


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[tuple[RoomService, ScriptedStore]]:
    with scripted_rooms(tmp_path) as (room_service, store, _):
        yield room_service, store


@pytest.fixture
def room_service(parts: tuple[RoomService, ScriptedStore]) -> RoomService:
    return parts[0]


@pytest.fixture
def store(parts: tuple[RoomService, ScriptedStore]) -> ScriptedStore:
    return parts[1]


def make_room(room_service: RoomService, **settings: object) -> Room:
    return room_service.create_room("Room", "Text", settings)


def kept(store: ScriptedStore, room: Room) -> list[MarkerRecord]:
    return store.archive.markers.markers(room.code, 0, 100)


def join(room_service: RoomService, room: Room, connection: str = "c1") -> str:
    joined = room_service.membership.join(connection, room, "A", True, None)
    joined.participant.clock.add(0.0, 0.0, 0.0)
    return joined.participant.record.id


def number(marker: MarkerRecord) -> int:
    assert marker.id is not None
    return marker.id


def test_a_late_marker_keeps_its_own_time(room_service: RoomService, store: ScriptedStore) -> None:
    room = make_room(room_service)
    at_ms = room.record.created_ms + 1
    room_service.markers.add(room, "late", at_ms, "api")
    (marker,) = kept(store, room)
    assert (marker.at_ms, marker.time_ms) == (at_ms, at_ms)
    assert marker.received_ms is not None and marker.received_ms >= at_ms


def test_two_markers_of_one_label_without_a_time_are_two(
    room_service: RoomService, store: ScriptedStore
) -> None:
    room = make_room(room_service)
    for _ in range(2):
        room_service.markers.add(room, "Now", None, "api")
    assert len(kept(store, room)) == 2


def test_a_marker_is_renamed_and_moved_with_its_history(
    room_service: RoomService, store: ScriptedStore
) -> None:
    room = make_room(room_service)
    marker = room_service.markers.add(room, "tpyo", None, "board")
    at_ms = room.record.created_ms + 2
    changed = room_service.markers.change(room, number(marker), "typo", at_ms, by="Anna")
    assert (changed.label, changed.at_ms) == ("typo", at_ms)
    assert [(one.label, one.at_ms, one.by) for one in changed.history] == [("tpyo", marker.at_ms, "Anna")]
    assert kept(store, room) == [changed]
    assert [(one.label, one.at_ms) for one in room.markers] == [("typo", at_ms)]


def test_a_deleted_marker_is_listed_and_shown_no_more_but_kept(
    room_service: RoomService, store: ScriptedStore
) -> None:
    room = make_room(room_service)
    marker = room_service.markers.add(room, "wrong", None, "board")
    room_service.markers.delete(room, number(marker), by="Anna")
    assert (kept(store, room), room.markers, room_service.markers.markers(room)) == ([], (), [])
    gone = store.archive.markers.marker(room.code, number(marker))
    assert gone is not None and gone.deleted_ms is not None
    assert [(one.label, one.by) for one in gone.history] == [("wrong", "Anna")]
    with pytest.raises(NoSuchMarkerError):
        room_service.markers.delete(room, number(marker), by="Anna")
    with pytest.raises(NoSuchMarkerError):
        room_service.markers.change(room, number(marker), "again", None, by="Anna")


def test_a_marker_that_is_sent_again_after_its_deletion_stays_deleted(
    room_service: RoomService, store: ScriptedStore
) -> None:
    room, at_ms = make_room(room_service), now_ms()
    marker = room_service.markers.add(room, "wrong", at_ms, "api")
    room_service.markers.delete(room, number(marker), by="Anna")
    assert room_service.markers.add(room, "wrong", at_ms, "api").id == marker.id
    assert (kept(store, room), room.markers) == ([], ())


def test_a_marker_that_is_sent_again_after_it_was_renamed_keeps_its_new_name(
    room_service: RoomService, store: ScriptedStore
) -> None:
    room, at_ms = make_room(room_service), now_ms()
    marker = room_service.markers.add(room, "old", at_ms, "api")
    room_service.markers.change(room, number(marker), "new", None, by="Anna")
    room_service.markers.add(room, "old", at_ms, "api")
    assert [one.label for one in kept(store, room)] == ["new"]


def test_no_marker_of_another_room_can_be_changed(room_service: RoomService) -> None:
    room, other = make_room(room_service), make_room(room_service)
    marker = room_service.markers.add(room, "mine", None, "api")
    for attempt in (
        lambda: room_service.markers.change(other, number(marker), "theirs", None, by="Eve"),
        lambda: room_service.markers.delete(other, number(marker), by="Eve"),
    ):
        with pytest.raises(NoSuchMarkerError):
            attempt()


def test_a_change_of_nothing_or_to_no_time_of_the_room_is_refused(room_service: RoomService) -> None:
    room = make_room(room_service)
    marker = room_service.markers.add(room, "Now", None, "api")
    for label, at_ms in ((None, None), ("", None), ("x" * 201, None), ("Now", 1.0), ("Now", now_ms() + 1e6)):
        with pytest.raises(BadRequestError):
            room_service.markers.change(room, number(marker), label, at_ms, by="Anna")


@pytest.mark.parametrize("late", [True, False])
def test_a_change_that_failed_has_changed_nothing(
    room_service: RoomService, store: ScriptedStore, late: bool
) -> None:
    room = make_room(room_service)
    marker = room_service.markers.add(room, "old", None, "api")
    (store.late if late else store.fails).add("replace_marker")
    with pytest.raises(StoreError):
        room_service.markers.change(room, number(marker), "new", None, by="Anna")
    store.fails.clear()
    store.carry_out()
    room_service.settle()
    assert kept(store, room) == [marker]
    assert room.markers == (marker,)


def test_a_repetition_that_failed_leaves_the_marker_of_the_first_request(
    room_service: RoomService, store: ScriptedStore
) -> None:
    room, at_ms = make_room(room_service), now_ms()
    room_service.markers.add(room, "Now", at_ms, "api")
    store.late.add("add_marker")
    with pytest.raises(StoreError):
        room_service.markers.add(room, "Now", at_ms, "api")
    store.carry_out()
    room_service.settle()
    assert [one.label for one in kept(store, room)] == ["Now"]


def test_a_room_that_closes_while_a_marker_is_on_its_way_does_not_take_it(
    room_service: RoomService, store: ScriptedStore
) -> None:
    room = make_room(room_service)
    with (
        store.slow("add_marker") as asked,
        Background(room_service.markers.add, room, "late", None, "api") as marking,
    ):
        assert asked.wait(20)
        room_service.close_room(room)
    assert isinstance(marking.outcome(), RoomClosedError)
    assert (kept(store, room), room.markers) == ([], ())


def test_markers_of_a_closed_room_can_be_corrected_but_none_added(
    room_service: RoomService, store: ScriptedStore
) -> None:
    room = make_room(room_service)
    marker = room_service.markers.add(room, "old", None, "api")
    room_service.close_room(room)
    room_service.markers.change(room, number(marker), "new", None, by="Anna")
    with pytest.raises(RoomClosedError):
        room_service.markers.add(room, "late", room.record.created_ms + 1, "api")
    assert [one.label for one in kept(store, room)] == ["new"]


# Participants


def test_a_participants_mark_is_stored_with_them_and_both_times(
    room_service: RoomService, store: ScriptedStore
) -> None:
    room = make_room(room_service, participant_markers=True)
    participant = join(room_service, room)
    joined = room.participant(participant)
    joined.clock.add(0.0, 7000.0, 0.0)
    joined.clock.add(0.0, 7000.0, -1.0)  # the better exchange counts
    sent_ms = now_ms() + 7000
    room_service.markers.add_of_participant("c1", "pressed", sent_ms)
    (marker,) = kept(store, room)
    assert (marker.participant_id, marker.source, marker.time_ms) == (participant, "participant", sent_ms)
    assert marker.at_ms == pytest.approx(sent_ms - 7000, abs=1)


def test_a_mark_that_is_sent_twice_counts_once_even_if_the_clock_was_measured_again(
    room_service: RoomService, store: ScriptedStore
) -> None:
    room = make_room(room_service, participant_markers=True)
    joined, sent_ms = room.participant(join(room_service, room)), now_ms()
    first = room_service.markers.add_of_participant("c1", "pressed", sent_ms)
    joined.clock.add(0.0, 3.0, -1.0)
    assert room_service.markers.add_of_participant("c1", "pressed", sent_ms) == first
    assert kept(store, room) == [first]


def test_two_participants_may_set_the_same_mark(room_service: RoomService, store: ScriptedStore) -> None:
    room, sent_ms = make_room(room_service, participant_markers=True), now_ms()
    for connection in ("c1", "c2"):
        join(room_service, room, connection)
        room_service.markers.add_of_participant(connection, "pressed", sent_ms)
    assert len({one.participant_id for one in kept(store, room)}) == 2


def test_a_room_takes_no_marks_of_participants_unless_it_allows_them(
    room_service: RoomService, store: ScriptedStore
) -> None:
    room = make_room(room_service)
    join(room_service, room)
    with pytest.raises(ForbiddenError, match="no markers from participants"):
        room_service.markers.add_of_participant("c1", "pressed", None)
    with pytest.raises(NotJoinedError):
        room_service.markers.add_of_participant("stranger", "pressed", None)
    assert kept(store, room) == []


def test_a_participants_mark_is_in_their_own_room_only_and_on_no_outlet_or_board(
    room_service: RoomService, store: ScriptedStore
) -> None:
    room, other = (make_room(room_service, participant_markers=True) for _ in range(2))
    join(room_service, room)
    join(room_service, other, "c2")
    room_service.markers.add_of_participant("c1", "pressed", now_ms())
    assert [one.label for one in kept(store, room)] == ["pressed"]
    assert kept(store, other) == []
    assert (room.markers, other.markers) == ((), ())


def test_who_withdraws_takes_their_marks_along(room_service: RoomService, store: ScriptedStore) -> None:
    room = make_room(room_service, participant_markers=True)
    for connection in ("c1", "c2"):
        join(room_service, room, connection)
        room_service.markers.add_of_participant(connection, connection, now_ms())
    room_service.markers.add(room, "everybody's", None, "board")
    room_service.membership.withdraw("c1")
    assert [one.label for one in kept(store, room)] == ["c2", "everybody's"]
    with pytest.raises(NotJoinedError):
        room_service.markers.add_of_participant("c1", "again", now_ms())


def test_a_mark_that_is_on_its_way_while_its_participant_withdraws_is_not_kept(
    room_service: RoomService, store: ScriptedStore
) -> None:
    room = make_room(room_service, participant_markers=True)
    join(room_service, room)
    with (
        store.slow("add_marker") as asked,
        Background(room_service.markers.add_of_participant, "c1", "pressed", now_ms()) as marking,
    ):
        assert asked.wait(20)
        room_service.membership.withdraw("c1")
    assert isinstance(marking.outcome(), NotJoinedError)
    assert kept(store, room) == []
