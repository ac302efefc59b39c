"""Rooms while the store is slow, late or fails: nobody waits for another, and nothing comes apart."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from tests.helpers.faces import face
from tests.helpers.stores import Background, ScriptedStore, scripted_rooms
from webapp.errors import (
    BadRequestError,
    CannotResumeError,
    MienError,
    NoSuchRoomError,
    NotJoinedError,
    RoomClosedError,
    RoomFullError,
    StoreError,
    UnavailableError,
)
from webapp.protocol import STAGES, Frame, Result
from webapp.rooms.baseline import BASELINE_S, MIN_FRAMES
from webapp.rooms.clock_sync import now_ms
from webapp.rooms.housekeeping import Housekeeping
from webapp.rooms.membership import Joined
from webapp.rooms.participant import Participant
from webapp.rooms.room import Room
from webapp.rooms.service import DAY_MS, RoomService
from webapp.store.records import MarkerRecord
from webapp.store.sample_writer import SampleWriter


class Outlets:
    """Notes whose streams are offered."""

    def __init__(self) -> None:
        self.membership: set[str] = set()
        self.ended_rooms: list[str] = []

    def joined(self, room: Room, participant: Participant) -> None:
        self.membership.add(participant.record.id)

    def samples(self, room: Room, participant: Participant, samples: list[Any]) -> None:
        assert participant.record.id in self.membership

    def marker(self, room: Room, marker: MarkerRecord) -> None:
        pass

    def left(self, participant_id: str) -> None:
        self.membership.discard(participant_id)

    def ended(self, room: Room) -> None:
        self.ended_rooms.append(room.code)


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[tuple[RoomService, ScriptedStore, SampleWriter]]:
    with scripted_rooms(tmp_path) as made:
        yield made


@pytest.fixture
def room_service(parts: tuple[RoomService, ScriptedStore, SampleWriter]) -> RoomService:
    return parts[0]


@pytest.fixture
def store(parts: tuple[RoomService, ScriptedStore, SampleWriter]) -> ScriptedStore:
    return parts[1]


@pytest.fixture
def writer(parts: tuple[RoomService, ScriptedStore, SampleWriter]) -> SampleWriter:
    return parts[2]


def make_room(room_service: RoomService, **settings: object) -> Room:
    return room_service.create_room("Room", "Text", settings)


def join(room_service: RoomService, room: Room, connection: str = "c1", resume: str | None = None) -> Joined:
    return room_service.membership.join(connection, room, "", True, resume)


def send(
    room_service: RoomService, connection: str, captured_ms: float | None = None, at_ms: float | None = None
) -> None:
    """A frame with one face, analysed; it was taken when it came unless a time says otherwise."""
    received_ms = now_ms() if at_ms is None else at_ms
    frame = Frame(1, received_ms if captured_ms is None else captured_ms, b"jpeg")
    result = Result(1, 640, 480, (face(),), dict.fromkeys(STAGES, 1.0))
    room_service.recorder.take(connection, frame, result, received_ms)


def assert_memory_is_as_the_database(room_service: RoomService, store: ScriptedStore) -> None:
    """What a restart would load is what the server believes."""
    restarted = RoomService(store, SampleWriter(store), "model").rooms()
    assert restarted.keys() == room_service.rooms().keys()
    for code, loaded in restarted.items():
        room = room_service.rooms()[code]
        assert loaded.record == room.record
        assert loaded.recording == room.recording
        assert loaded.markers == room.markers
        assert {one.record for one in loaded.participants.values()} == {
            one.record for one in room.participants.values()
        }


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


def test_a_stop_that_fails_loses_no_sample(
    room_service: RoomService, store: ScriptedStore, writer: SampleWriter
) -> None:
    room = make_room(room_service)
    join(room_service, room)
    room_service.recordings.start(room)
    with store.slow("stop_recording") as asked, Background(room_service.recordings.stop, room) as stopping:
        assert asked.wait(10)
        time.sleep(0.01)
        send(room_service, "c1")
        store.fails.add("stop_recording")
    assert isinstance(stopping.outcome(), StoreError)
    assert room_service.recordings.status(room)["state"] == "started"
    assert writer.flush()
    assert room_service.recordings.status(room)["stored"] == 1


def test_of_a_stop_that_takes_long_nothing_later_is_recorded(
    room_service: RoomService, store: ScriptedStore, writer: SampleWriter
) -> None:
    room = make_room(room_service)
    join(room_service, room)
    room_service.recordings.start(room)
    with store.slow("stop_recording") as asked, Background(room_service.recordings.stop, room) as stopping:
        assert asked.wait(10)
        time.sleep(0.01)
        send(room_service, "c1")
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


# A store that is slow


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
        end_s = time.monotonic() + 10
        while store.calls.count("add_participant") < 10:
            assert time.monotonic() < end_s, "they queue up one behind the other"
            time.sleep(0.01)
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
    fresh = RoomService(store, SampleWriter(store), "model")
    store.calls.clear()
    with store.slow("load_rooms") as asked:
        store.fails.add("load_rooms")
        waiting = [Background(fresh.rooms).__enter__() for _ in range(5)]
        assert asked.wait(10)
        time.sleep(0.2)
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


# Baselines and outlets


def test_a_baseline_outlasts_leaving_while_it_is_stored(
    room_service: RoomService, store: ScriptedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = make_room(room_service)
    joined = join(room_service, room)
    room_service.preparation.begin_baseline("c1")
    for _ in range(MIN_FRAMES):
        send(room_service, "c1")
    over_s = time.monotonic() + BASELINE_S
    with (
        store.slow("update_participant") as asked,
        Background(room_service.membership.leave, "c1") as leaving,
    ):
        assert asked.wait(10)
        monkeypatch.setattr("webapp.rooms.recording.recorder.time.monotonic", lambda: over_s)
        send(room_service, "c1")
        monkeypatch.undo()
        assert joined.participant.record.baseline is not None
    assert leaving.outcome() is None
    end_s = time.monotonic() + 10
    while store.archive.rooms.load_rooms()[0].participants[0].baseline is None:
        assert time.monotonic() < end_s, "the baseline was lost"
        time.sleep(0.02)
    assert_memory_is_as_the_database(room_service, store)
    assert joined.participant.record.left_ms is not None


def test_streams_end_with_their_participants_and_rooms(store: ScriptedStore, writer: SampleWriter) -> None:
    outlets = Outlets()
    room_service = RoomService(store, writer, "model", outlets=[outlets])
    room = make_room(room_service)
    ids = [join(room_service, room, f"c{number}").participant.record.id for number in range(4)]
    room_service.membership.leave("c0")
    assert outlets.membership == set(ids[1:])
    room_service.membership.withdraw("c1")
    room_service.membership.disconnected("c2")
    room_service.end_outlets_of_absent()
    assert outlets.membership == set(ids[2:]), "who lost the connection may come back"
    room.participants[ids[2]].away_s -= 1000
    room_service.end_outlets_of_absent()
    assert outlets.membership == {ids[3]}
    room_service.close_room(room)
    assert outlets.membership == set() and outlets.ended_rooms == [room.code]


# Times and texts


def test_frames_of_before_the_recording_are_not_in_it(
    room_service: RoomService, store: ScriptedStore, writer: SampleWriter
) -> None:
    room = make_room(room_service)
    participant = join(room_service, room).participant
    participant.clock.add(0.0, 0.0, 0.0)
    room_service.recordings.start(room)
    assert room.recording is not None
    started_ms = room.recording.started_ms
    for captured_ms in (started_ms - 300, started_ms - 0.01, started_ms, started_ms + 40):
        send(room_service, "c1", captured_ms, at_ms=started_ms + 100)
    send(room_service, "c1", at_ms=started_ms - 1)
    waiting = [item.sample for item in writer._buffer]
    assert [one.timestamp_ms - started_ms for one in waiting] == [0, pytest.approx(40)]
    assert [one.frame for one in waiting] == [0, 1]


def test_a_frame_older_than_the_recording_by_the_clocks_error_is_its_first_moment(
    room_service: RoomService, store: ScriptedStore, writer: SampleWriter
) -> None:
    room = make_room(room_service)
    clock = join(room_service, room).participant.clock
    clock.add(0.0, 20.0, 40.0)  # 40 ms there and back: the offset is 0, 20 ms off at most
    room_service.recordings.start(room)
    assert room.recording is not None
    started_ms = room.recording.started_ms
    for captured_ms in (started_ms - 21, started_ms - 19, started_ms + 5):
        send(room_service, "c1", captured_ms, at_ms=started_ms + 100)
    assert [item.sample.timestamp_ms - started_ms for item in writer._buffer] == [0, pytest.approx(5)]


@pytest.mark.parametrize("off_ms", [-DAY_MS, -3_600_000, 60_000, DAY_MS, 1e15, -1e15, float("nan")])
def test_a_marker_of_no_time_of_the_room_is_refused_and_not_stored(
    room_service: RoomService, store: ScriptedStore, off_ms: float
) -> None:
    room = make_room(room_service)
    with pytest.raises(BadRequestError, match="time is"):
        room_service.markers.add(room, "Now", now_ms() + off_ms, "api")
    assert "add_marker" not in store.calls
    room_service.markers.add(room, "Now", now_ms() + 1000, "api")  # clocks differ a little
    assert_memory_is_as_the_database(room_service, store)


def test_a_closed_room_takes_no_marker(room_service: RoomService, store: ScriptedStore) -> None:
    room = make_room(room_service)
    room_service.close_room(room)
    with pytest.raises(RoomClosedError):
        room_service.markers.add(room, "Now", None, "board")
    assert "add_marker" not in store.calls


@pytest.mark.parametrize("bad", ["\ud800", "a\udfffb", "a\x00b"])
def test_texts_that_no_database_can_keep_are_refused_with_words(room_service: RoomService, bad: str) -> None:
    room = make_room(room_service)
    for ask in (
        lambda: room_service.create_room(bad, "Text", {}),
        lambda: room_service.create_room("Room", bad, {}),
        lambda: room_service.create_room("Room", "Text", {"marker_labels": [bad]}),
        lambda: room_service.markers.add(room, bad, None, "api"),
    ):
        with pytest.raises(BadRequestError, match=r"U\+[0-9A-F]{4}.*cannot be stored"):
            ask()
    assert room_service.membership.join(
        "c1", room, f"Anna{bad}", True, None
    ).participant.record.alias.startswith("Anna")
    with pytest.raises(CannotResumeError):
        join(room_service, room, "c2", bad)


# Loading, counting, retention


def test_rooms_are_loaded_without_counting_their_samples(
    room_service: RoomService, store: ScriptedStore, writer: SampleWriter
) -> None:
    room, still = make_room(room_service), make_room(room_service)
    for connection in ("c1", "c2"):
        join(room_service, room, connection)
    room_service.recordings.start(room)
    for connection in ("c1", "c2", "c1"):
        send(room_service, connection)
    assert writer.flush()
    statements: list[str] = []
    event.listen(
        store.archive.database.engine,
        "before_cursor_execute",
        lambda *given: statements.append(given[2].lower()),
    )
    again = SampleWriter(store)
    restarted = RoomService(store, again, "model")
    loaded = restarted.rooms()[room.code]
    assert [one.next_frame for one in loaded.participants.values()] == [2, 1]
    counting = [one for one in statements if "count(" in one and "from sample" in one]
    assert not counting, "no samples are counted"
    send_after = loaded.participants[next(iter(loaded.participants))]
    assert again.status(room.code).stored == 0
    restarted.membership._presence._joined["c1"] = (loaded, send_after)
    send(restarted, "c1")
    assert again.flush()
    restarted.count_samples()
    assert again.status(room.code).stored == 4, "those of before and those since, each once"
    assert again.status(still.code).stored == 0


def test_a_deleted_participant_leaves_the_counts_too(room_service: RoomService, writer: SampleWriter) -> None:
    room = make_room(room_service)
    one = join(room_service, room, "c1").participant
    join(room_service, room, "c2")
    room_service.recordings.start(room)
    for connection in ("c1", "c1", "c2"):
        send(room_service, connection)
    assert writer.flush()
    room_service.membership.delete(room, one)
    assert room_service.recordings.status(room)["stored"] == 1


def test_retention_goes_on_with_the_others_and_tries_again_soon(
    room_service: RoomService, store: ScriptedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        make_room(room_service)
    monkeypatch.setattr("webapp.rooms.service.now_ms", lambda: now_ms() + 2 * DAY_MS)
    housekeeping = Housekeeping(room_service, retention_days=1)
    store.fails.add("begin_room_deletion")
    with pytest.raises(StoreError):
        housekeeping.keep_retention(100.0)
    assert len(room_service.rooms()) == 3
    store.fails.clear()
    housekeeping.keep_retention(101.0)
    assert len(room_service.rooms()) == 3
    housekeeping.keep_retention(200.0)
    assert room_service.rooms() == {}


def test_no_error_of_a_room_is_raised_that_programs_cannot_tell() -> None:
    assert issubclass(CannotResumeError, MienError) and CannotResumeError.code == "cannot_resume"
