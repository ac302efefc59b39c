"""What a room keeps: baselines, outlets, times and texts, counts, retention."""

from __future__ import annotations

import time
from typing import Any

import pytest
from sqlalchemy import event

from tests.helpers.stores import Background, ScriptedStore
from tests.rooms.service.steps import assert_memory_is_as_the_database, join, make_room, send
from webapp.errors import (
    BadRequestError,
    CannotResumeError,
    MienError,
    RoomClosedError,
)
from webapp.rooms.baseline import BASELINE_S, MIN_FRAMES
from webapp.rooms.clock_sync import now_ms
from webapp.rooms.housekeeping import Housekeeping
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
        self.face_ids: list[int] = []

    def joined(self, room: Room, participant: Participant) -> None:
        self.membership.add(participant.record.id)

    def samples(self, room: Room, participant: Participant, samples: list[Any]) -> None:
        assert participant.record.id in self.membership
        self.face_ids += [sample.face_id for sample in samples]

    def marker(self, room: Room, marker: MarkerRecord) -> None:
        pass

    def left(self, participant_id: str) -> None:
        self.membership.discard(participant_id)

    def ended(self, room: Room) -> None:
        self.ended_rooms.append(room.code)


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


def test_faces_of_another_connection_get_other_numbers(store: ScriptedStore, writer: SampleWriter) -> None:
    """Else a bystander could get the number of the participant when the page is loaded again."""
    outlets = Outlets()
    room_service = RoomService(store, writer, "model", outlets=[outlets])
    room = make_room(room_service)
    secret = join(room_service, room, "c1").resume
    send(room_service, "c1", faces=(1, 2))
    send(room_service, "c1", faces=())
    send(room_service, "c1", faces=(3,))
    join(room_service, room, "c2", secret)
    send(room_service, "c2", faces=(1,))
    send(room_service, "c2", faces=(2, 1))
    assert outlets.face_ids == [1, 2, 0, 3, 4, 5, 4]


def test_the_streams_of_a_room_that_goes_to_another_node_end(
    store: ScriptedStore, writer: SampleWriter
) -> None:
    outlets = Outlets()
    room_service = RoomService(store, writer, "model", outlets=[outlets])
    room = make_room(room_service)
    join(room_service, room, "c1")
    room_service.membership.part_with(room)
    assert outlets.membership == set() and outlets.ended_rooms == [room.code]


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


def test_a_frame_that_is_analyzed_while_the_recording_stops_belongs_to_it(
    room_service: RoomService, store: ScriptedStore
) -> None:
    room = make_room(room_service)
    join(room_service, room)
    room_service.recordings.start(room)
    send(room_service, "c1")
    under_way_ms = now_ms()
    time.sleep(0.01)
    room_service.recordings.stop(room)
    send(room_service, "c1", at_ms=under_way_ms)
    send(room_service, "c1")
    assert (
        room_service.recordings.status(room)["waiting"] + room_service.recordings.status(room)["stored"] == 2
    )
    room_service.recordings.start(room)
    send(room_service, "c1", at_ms=under_way_ms)
    assert (
        room_service.recordings.status(room)["waiting"] + room_service.recordings.status(room)["stored"] == 2
    )


def test_retention_goes_on_with_the_others_and_tries_again_soon(
    room_service: RoomService, store: ScriptedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        make_room(room_service)
    monkeypatch.setattr("webapp.rooms.service.now_ms", lambda: now_ms() + 2 * DAY_MS)
    housekeeping = Housekeeping(room_service, retention_days=1)
    store.fails.add("begin_room_deletion")
    housekeeping.keep_retention(100.0)
    assert len(room_service.rooms()) == 3
    store.fails.clear()
    housekeeping.keep_retention(101.0)
    assert len(room_service.rooms()) == 3
    housekeeping.keep_retention(200.0)
    assert room_service.rooms() == {}


def test_no_error_of_a_room_is_raised_that_programs_cannot_tell() -> None:
    assert issubclass(CannotResumeError, MienError) and CannotResumeError.code == "cannot_resume"
