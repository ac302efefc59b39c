"""Who is in a room while connections end, come back or are sent away."""

from __future__ import annotations

import time

import pytest

from tests.helpers.stores import Background, ScriptedStore
from tests.rooms.service.steps import assert_memory_is_as_the_database, join, make_room
from webapp.errors import (
    CannotResumeError,
    NotJoinedError,
    RoomFullError,
    UnavailableError,
)
from webapp.rooms.catalogue.loading import MAX_SESSION_MS
from webapp.rooms.clock_sync import now_ms
from webapp.rooms.membership import Joined
from webapp.rooms.service import RoomService
from webapp.store.sample_writer import SampleWriter

# Connections that end in between


@pytest.mark.parametrize("back", [False, True])
def test_a_connection_that_ends_while_it_joins_holds_no_place(
    store: ScriptedStore, writer: SampleWriter, back: bool
) -> None:
    connected = {"c0", "c1"}
    room_service = RoomService(store, writer, "model", is_connected=connected.__contains__)
    room = make_room(room_service, max_participants=1)
    resume = None
    if back:
        resume = join(room_service, room, "c0").resume
        room_service.membership.leave("c0")
    method = "update_participant" if back else "add_participant"
    with store.slow(method) as asked, Background(join, room_service, room, "c1", resume) as joining:
        assert asked.wait(10)
        connected.discard("c1")
        room_service.membership.disconnected("c1")
    assert isinstance(joining.outcome(), NotJoinedError)
    room_service.settle()
    assert room_service.membership.present() == {}
    assert_memory_is_as_the_database(room_service, store)
    assert len(room.participants) == (1 if back else 0), "nobody who never knew of it"


def test_a_second_join_of_a_connection_does_not_wait_for_the_first(
    room_service: RoomService, store: ScriptedStore
) -> None:
    room = make_room(room_service)
    with store.slow("add_participant") as asked, Background(join, room_service, room, "c1") as first:
        assert asked.wait(10)
        with pytest.raises(UnavailableError):
            join(room_service, room, "c1")
    assert isinstance(first.outcome(), Joined)
    assert len(room.participants) == 1


def test_a_connection_is_one_participant_however_often_it_joins(room_service: RoomService) -> None:
    room = make_room(room_service, max_participants=2)
    joined = [join(room_service, room, "c1") for _ in range(30)]
    assert {one.participant.record.id for one in joined} == set(room.participants)
    assert len(room.participants) == 1
    assert join(room_service, room, "c2").is_new
    room_service.membership.disconnected("c1")
    with pytest.raises(CannotResumeError):
        join(room_service, room, "c3", joined[0].resume)
    assert join(room_service, room, "c3", joined[-1].resume).participant is joined[0].participant


def test_who_goes_to_another_room_keeps_no_place_in_the_first(room_service: RoomService) -> None:
    rooms = [make_room(room_service, max_participants=1) for _ in range(2)]
    for room in rooms:
        join(room_service, room, "c1")
    assert join(room_service, rooms[0], "c2").is_new


def test_who_comes_back_to_a_full_room_after_leaving_waits_for_a_place(room_service: RoomService) -> None:
    room = make_room(room_service, max_participants=1)
    resume = join(room_service, room, "c1").resume
    room_service.membership.leave("c1")
    join(room_service, room, "c2")
    with pytest.raises(RoomFullError):
        join(room_service, room, "c1", resume)
    room_service.membership.leave("c2")
    assert not join(room_service, room, "c1", resume).is_new


def test_after_a_restart_seats_are_kept_for_people_of_today_only(
    room_service: RoomService, store: ScriptedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = make_room(room_service, max_participants=2)
    with monkeypatch.context() as hours_ago:
        hours_ago.setattr("webapp.rooms.membership.now_ms", lambda: now_ms() - MAX_SESSION_MS - 1000)
        earlier = join(room_service, room, "c1")
    join(room_service, room, "c2")
    restarted = RoomService(store, SampleWriter(store), "model")
    room = restarted.room(room.code)
    assert join(restarted, room, "c3").is_new, "who closed the page hours ago keeps no seat"
    with pytest.raises(RoomFullError):
        join(restarted, room, "c4")
    with pytest.raises(RoomFullError):
        join(restarted, room, "c1", earlier.resume)


# Who was sent away


@pytest.mark.parametrize("how", ["remove", "delete", "withdraw"])
@pytest.mark.parametrize("restarted", [False, True])
def test_who_was_removed_or_deleted_cannot_resume(
    room_service: RoomService, store: ScriptedStore, how: str, restarted: bool
) -> None:
    room = make_room(room_service)
    joined = join(room_service, room)
    {
        "remove": lambda: room_service.membership.remove(room, joined.participant),
        "delete": lambda: room_service.membership.delete(room, joined.participant),
        "withdraw": lambda: room_service.membership.withdraw("c1"),
    }[how]()
    if restarted:
        room_service = RoomService(store, SampleWriter(store), "model")
        room = room_service.room(room.code)
    with pytest.raises(CannotResumeError):
        join(room_service, room, "c1", joined.resume)
    assert join(room_service, room, "c1").participant.record.id != joined.participant.record.id


def test_who_had_left_before_they_are_removed_left_then(room_service: RoomService) -> None:
    joined = join(room_service, room := make_room(room_service))
    room_service.membership.leave("c1")
    left_ms = joined.participant.record.left_ms
    time.sleep(0.01)
    room_service.membership.remove(room, joined.participant)
    assert left_ms is not None and joined.participant.record.left_ms == left_ms


def test_who_is_removed_while_they_come_back_stays_out(
    room_service: RoomService, store: ScriptedStore
) -> None:
    room = make_room(room_service)
    joined = join(room_service, room)
    room_service.membership.leave("c1")
    with (
        store.slow("update_participant") as asked,
        Background(join, room_service, room, "c2", joined.resume) as back,
    ):
        assert asked.wait(10)
        with Background(room_service.membership.remove, room, joined.participant) as removing:
            time.sleep(0.1)
            store._slow["update_participant"][1].set()  # one after the other
            removing.outcome()
    with pytest.raises(NotJoinedError):
        room_service.membership.joined("c2")
    assert isinstance(back.outcome(), CannotResumeError | Joined)
    assert_memory_is_as_the_database(room_service, store)
