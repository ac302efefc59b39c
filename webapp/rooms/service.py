"""What can be done with rooms: made, closed, deleted, recorded, marked, exported.

Every change goes to the store first; where that fails, nothing has changed and a `StoreError` says so.
"""

from __future__ import annotations

import importlib.util
import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

from webapp.errors import NoSuchRoomError
from webapp.rooms.clock_sync import now_ms
from webapp.rooms.membership import People
from webapp.rooms.recorder import Intake
from webapp.rooms.room import (
    INFORMATION_LIMIT,
    LABEL_LIMIT,
    NAME_LIMIT,
    Participant,
    Room,
    RoomSettings,
    check_text,
    new_code,
    normal_code,
    with_notices,
)
from webapp.store.client import Store, export_pieces
from webapp.store.records import MarkerRecord, RoomRecord, SavedRoom
from webapp.store.repositories import Archive
from webapp.store.sample_writer import Writer

DAY_MS = 86_400_000.0

logger = logging.getLogger(__name__)


def can_write_parquet() -> bool:
    """Whether what requirements-lab.txt brings for it is here."""
    return importlib.util.find_spec("pyarrow") is not None


class Lab:
    """All rooms of this server, the `people` in them and the `intake` of their frames.

    `model` is the version of the expression model.
    """

    def __init__(self, store: Store, writer: Writer, model: str) -> None:
        self._store = store
        self._writer = writer
        self._model = model
        self._rooms: dict[str, Room] | None = None
        self._changes = threading.RLock()
        self.people = People(store, writer, self._changes)
        self.intake = Intake(self.people, store, writer, model)

    # Rooms

    def rooms(self) -> dict[str, Room]:
        """All rooms by code, in the order in which they were made.

        Raises:
            StoreError: they are not loaded yet, and cannot be.
        """
        if self._rooms is None:
            with self._changes:
                if self._rooms is None:
                    saved = self._store.call(Archive.load_rooms)
                    self._rooms = {one.room.code: self._restored(one) for one in saved}
        return self._rooms

    def room(self, code: object) -> Room:
        """The room with a code, however it is typed.

        Raises:
            NoSuchRoomError: there is none.
        """
        room = self.rooms().get(normal_code(code))
        if room is None:
            raise NoSuchRoomError("There is no room with this code; check it, or ask the person who runs it.")
        return room

    def create_room(self, name: object, information: object, settings: object) -> Room:
        """A new room.

        Raises:
            BadRequestError: a field is missing or wrong.
        """
        chosen = RoomSettings.from_wire(settings)
        record = RoomRecord(
            code=new_code(self.rooms()),
            name=check_text("name", name, NAME_LIMIT),
            information=with_notices(check_text("information", information, INFORMATION_LIMIT), chosen),
            settings=chosen.to_wire(),
            created_ms=now_ms(),
        )
        with self._changes:
            self._store.call(Archive.add_room, record)
            room = self.rooms()[record.code] = Room(record)
        return room

    def close_room(self, room: Room) -> None:
        """Stop recording, send everybody away, and let nobody join."""
        with self._changes:
            if room.record.closed_ms is not None:
                return
            self.stop_recording(room)
            at_ms = now_ms()
            self._store.call(Archive.close_room, room.code, at_ms)
            room.close(at_ms)
            self.people.part_all(room, "closed")

    def delete_room(self, room: Room) -> None:
        """Delete a room and all that was recorded in it."""
        with self._changes:
            self._writer.forget(room.participants)
            self._store.call(Archive.delete_room, room.code)
            self.rooms().pop(room.code, None)
            self.people.part_all(room, "deleted")
            logger.info("a room was deleted with all that was recorded in it")

    def delete_old_rooms(self, days: int) -> int:
        """Delete the rooms that were made more than `days` days ago; how many."""
        old = [room for room in self.rooms().values() if now_ms() - room.record.created_ms > days * DAY_MS]
        for room in old:
            self.delete_room(room)
        return len(old)

    # Recording

    def start_recording(self, room: Room) -> None:
        """Record everybody from now on; does nothing where that goes on already.

        Raises:
            RoomClosedError: the room is closed.
        """
        with self._changes:
            room.check_open()
            if room.recording is not None:
                return
            recording = self._store.call(Archive.start_recording, room.code, now_ms())
            for participant in room.participants.values():
                participant.next_frame = 0
            room.recording = recording
            self.people.tell_recording(room)

    def stop_recording(self, room: Room) -> None:
        """Stop; what was recorded stays."""
        with self._changes:
            if room.recording is None:
                return
            recording, room.recording = room.recording, None
            try:
                self._store.call(Archive.stop_recording, recording.id, now_ms())
            except Exception:
                room.recording = recording
                raise
            self.people.tell_recording(room)

    def add_marker(self, room: Room, label: object, at_ms: float | None, source: str) -> MarkerRecord:
        """Mark an event, now or at a time.

        Raises:
            BadRequestError: the label is missing or too long.
        """
        text = check_text("label", label, LABEL_LIMIT)
        marker = MarkerRecord(room.code, now_ms() if at_ms is None else at_ms, text, source)
        with self._changes:
            self._store.call(Archive.add_marker, marker)
            room.markers.append(marker)
        for outlet in self.people.outlets:
            outlet.marker(room, marker)
        return marker

    def export(self, room: Room, about: dict[str, Any], form: str) -> Iterator[bytes]:
        """The pieces of a ZIP file with everything of a room.

        Raises:
            StoreError: while pieces are fetched.
        """
        self._writer.flush()
        return export_pieces(self._store, room.code, {**about, "model": self._model}, form)

    def status(self, room: Room) -> dict[str, Any]:
        """The recording as hosts see it."""
        written = self._writer.status(room.code)
        recording = room.recording
        return {
            "state": "started" if recording else "stopped",
            "started_ms": recording.started_ms if recording else None,
            "stored": written.stored,
            "waiting": written.waiting,
            "lost": written.lost,
            "problem": written.problem,
        }

    # Inside

    def _restored(self, saved: SavedRoom) -> Room:
        room = Room(saved.room)
        room.recording = saved.recording
        room.markers.extend(saved.markers)
        away_s = time.monotonic()
        for record in saved.participants:
            next_frame = saved.next_frames.get(record.id, 0)
            room.participants[record.id] = Participant(record, away_s=away_s, next_frame=next_frame)
        self._writer.count_stored(room.code, saved.stored)
        return room
