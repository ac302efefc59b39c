"""What the tests of the room service do again and again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tests.helpers.faces import face
from tests.helpers.stores import ScriptedStore
from webapp.protocol import STAGES, Frame, Result
from webapp.rooms.clock_sync import now_ms
from webapp.rooms.membership import Joined
from webapp.rooms.room import Room
from webapp.rooms.service import RoomService
from webapp.store.sample_writer import SampleWriter


def make_room(room_service: RoomService, **settings: object) -> Room:
    return room_service.create_room("Room", "Text", settings)


def join(room_service: RoomService, room: Room, connection: str = "c1", resume: str | None = None) -> Joined:
    return room_service.membership.join(connection, room, "", True, resume)


def send(
    room_service: RoomService,
    connection: str,
    captured_ms: float | None = None,
    at_ms: float | None = None,
    faces: Sequence[int] = (1,),
) -> None:
    """A frame with these faces, analysed; it was taken when it came unless a time says otherwise."""
    received_ms = now_ms() if at_ms is None else at_ms
    frame = Frame(1, received_ms if captured_ms is None else captured_ms, b"jpeg")
    found = tuple(replace(face(), id=number) for number in faces)
    result = Result(1, 640, 480, found, dict.fromkeys(STAGES, 1.0))
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
