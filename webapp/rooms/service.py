"""What can be done with rooms: made, closed, deleted, recorded, marked, exported.

Every change goes to the store first; where that fails, nothing has changed and a `StoreError` says so. What
the store carries out after it had failed is taken back: see `repairs`.
"""

from __future__ import annotations

import importlib.util
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from webapp.errors import BadRequestError, NoSuchRoomError, StoreError
from webapp.rooms.clock_sync import now_ms
from webapp.rooms.concurrency import SingleFlight
from webapp.rooms.download import Download
from webapp.rooms.membership import Membership, Outlet, Tell
from webapp.rooms.recorder import Recorder
from webapp.rooms.repairs import Repairs
from webapp.rooms.room import (
    MAX_INFORMATION_LENGTH,
    MAX_LABEL_LENGTH,
    MAX_NAME_LENGTH,
    Participant,
    Room,
    RoomSettings,
    check_text,
    new_code,
    normal_code,
    with_notices,
)
from webapp.store.client import Store
from webapp.store.records import MarkerRecord, RoomRecord, SavedRoom
from webapp.store.repositories import Archive
from webapp.store.sample_writer import SampleWriter

DAY_MS = 86_400_000.0

MARKER_TOLERANCE_MS = 10_000.0
"""How far the clock of who sets a marker may be from the server's."""

MAX_COUNTED = 10
"""Participants whose samples the store counts in one go; others are answered between."""

MAX_DELETED = 5000
"""Samples that the store deletes in one go, in some 100 ms."""

logger = logging.getLogger(__name__)


def can_write_parquet() -> bool:
    """Whether what requirements-lab.txt brings for it is here."""
    return importlib.util.find_spec("pyarrow") is not None


class RoomService:
    """All rooms of this server, the `people` in them and the `intake` of their frames.

    `model` is the version of the expression model. `tell` sends an event to a connection, `is_connected` says
    whether one is still open. Any thread may call it. `_lock` guards the dictionary of rooms, which is
    replaced and never changed; each room has its own lock and turn (see `Room`), so that nothing in one room
    waits for another.
    """

    def __init__(
        self,
        store: Store,
        writer: SampleWriter,
        model: str,
        *,
        tell: Tell = lambda connection, event, data: None,
        is_connected: Callable[[str], bool] = lambda connection: True,
        outlets: Iterable[Outlet] = (),
    ) -> None:
        self._store = store
        self._writer = writer
        self._model = model
        self._rooms: dict[str, Room] | None = None
        self._uncounted: list[tuple[Room, tuple[str, ...]]] = []
        self._last_sample_id = 0
        self._has_unfinished_deletions = True  # as far as is known
        self._lock = threading.Lock()
        self._load = SingleFlight(self._load_rooms)
        self.repairs = Repairs(store)
        self.membership = Membership(
            store, writer, self.repairs, tell=tell, is_connected=is_connected, outlets=outlets
        )
        self.recorder = Recorder(self.membership, writer, model)

    # Rooms

    def rooms(self) -> dict[str, Room]:
        """All rooms by code, in the order in which they were made.

        Raises:
            StoreError: they are not loaded yet, and cannot be.
        """
        return self._load() if self._rooms is None else self._rooms

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
            name=check_text("name", name, MAX_NAME_LENGTH),
            information=with_notices(check_text("information", information, MAX_INFORMATION_LENGTH), chosen),
            settings=chosen.to_wire(),
            created_ms=now_ms(),
        )
        self.repairs.settle()
        self.repairs.ask(lambda: self._store.call(Archive.delete_room, record.code), Archive.add_room, record)
        room = Room(record)
        with self._lock:
            self._rooms = {**self.rooms(), record.code: room}
        return room

    def close_room(self, room: Room) -> None:
        """Stop recording, send everybody away, and let nobody join."""
        self.repairs.settle()
        with room.turn:
            if room.record.closed_ms is not None:
                return
            self._stop_recording(room)
            at_ms = now_ms()
            self.repairs.ask(lambda: self._reopen(room), Archive.close_room, room.code, at_ms)
            with room.lock:
                room.close(at_ms)
        self.membership.dismiss_all(room, "closed")

    def delete_room(self, room: Room) -> None:
        """Delete a room and all that was recorded in it."""
        self.repairs.settle()

        def accept_late_deletion() -> None:
            if not self._store.call(Archive.has_room, room.code):
                self._drop(room)
                self._has_unfinished_deletions = True

        with room.turn:
            self.repairs.ask(accept_late_deletion, Archive.begin_room_deletion, room.code)
        self._drop(room)
        try:
            self._delete_data(room.code)
        except StoreError as error:
            self._has_unfinished_deletions = True
            logger.error("a room is deleted; its data are as soon as the database works: %s", error)

    def delete_old_rooms(self, days: int) -> int:
        """Delete the rooms that were made more than `days` days ago; how many.

        Raises:
            StoreError: not all could be deleted, those that could are.
        """
        old = [room for room in self.rooms().values() if now_ms() - room.record.created_ms > days * DAY_MS]
        deleted = sum(self._delete_old_room(room) for room in old)
        if deleted < len(old):
            raise StoreError(f"{len(old) - deleted} rooms that are too old could not be deleted.")
        return deleted

    # Recording

    def start_recording(self, room: Room) -> None:
        """Record everybody from now on; does nothing where that goes on already.

        Raises:
            RoomClosedError: the room is closed.
        """
        self.repairs.settle()
        with room.turn:
            room.check_open()
            if room.recording is not None:
                return
            at_ms = now_ms()

            def cancel() -> None:
                self._store.call(Archive.cancel_recording, room.code, at_ms)

            recording = self.repairs.ask(cancel, Archive.start_recording, room.code, at_ms)
            with room.lock:
                for participant in room.participants.values():
                    participant.next_frame = 0
                room.recording = recording
        self.membership.announce_recording(room)

    def stop_recording(self, room: Room) -> None:
        """Stop; what was recorded stays."""
        self.repairs.settle()
        with room.turn:
            self._stop_recording(room)

    def add_marker(self, room: Room, label: object, at_ms: float | None, source: str) -> MarkerRecord:
        """Mark an event, now or at a time; one that is set twice with its time counts once.

        Raises:
            BadRequestError: the label is missing or too long, or the time is not one of this room.
            RoomClosedError: the room is closed.
        """
        text = check_text("label", label, MAX_LABEL_LENGTH)
        marker = MarkerRecord(room.code, now_ms() if at_ms is None else at_ms, text, source)
        room.check_open()
        _check_time(room, marker.at_ms)
        self.repairs.settle()
        is_new = self.repairs.ask(
            lambda: self._store.call(Archive.delete_marker, marker), Archive.add_marker, marker
        )
        if is_new:
            with room.lock:
                room.add_marker(marker)
            for outlet in self.membership.outlets:
                outlet.marker(room, marker)
        return marker

    def export(self, room: Room, about: dict[str, Any], form: str) -> Download:
        """The pieces of a ZIP file with everything of a room.

        Raises:
            ExportsBusyError: as many exports as may be are under way.
            StoreError: now, or while pieces are fetched.
        """
        self._writer.flush()
        written = self._writer.status(room.code)
        unstored = {"waiting": written.waiting, "lost": written.lost}
        return Download(self._store, room.code, {**about, **unstored, "model": self._model}, form)

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

    # By the clock

    def settle(self) -> None:
        """Take back, or accept, what the store carried out after it had failed."""
        self.repairs.settle()

    def count_samples(self) -> None:
        """Count what the store had of each participant at the start, a few participants at a time.

        Raises:
            StoreError: not all are counted; call it again.
        """
        self.rooms()
        while self._uncounted:
            room, participant_ids = self._uncounted[-1]
            counted = self._store.call(Archive.samples_of, participant_ids, self._last_sample_id)
            self._uncounted.pop()
            for participant_id, samples in counted.items():
                self._writer.add_stored(room.code, participant_id, samples)

    def finish_deletions(self) -> None:
        """Delete the data of rooms whose deletion broke off, or that an earlier server had begun to delete.

        Raises:
            StoreError: not all are deleted; call it again.
        """
        if not self._has_unfinished_deletions:
            return
        self._has_unfinished_deletions = False
        try:
            for code in self._store.call(Archive.begun_room_deletions):
                self._delete_data(code)
        except StoreError:
            self._has_unfinished_deletions = True
            raise

    def end_outlets_of_absent(self) -> None:
        """End the streams of participants who do not come back."""
        for room in self.rooms().values() if self.membership.outlets else ():
            self.membership.end_outlets_of_absent(room, time.monotonic())

    # Inside

    def _load_rooms(self) -> dict[str, Room]:
        if self._rooms is not None:
            return self._rooms
        saved = self._store.call(Archive.load_rooms)
        self._last_sample_id = self._store.call(Archive.last_sample_id)
        rooms = {one.room.code: _restored(one) for one in saved}
        self._uncounted = [(room, ids) for room in rooms.values() for ids in _portions(room)]
        self._rooms = rooms
        return rooms

    def _delete_data(self, code: str) -> None:
        """Delete what a room had, in portions, so that the store answers others between them."""
        while self._store.call(Archive.delete_samples, code, MAX_DELETED) == MAX_DELETED:
            pass
        self._store.call(Archive.delete_room, code)
        logger.info("a room was deleted with all that was recorded in it")

    def _delete_old_room(self, room: Room) -> bool:
        try:
            self.delete_room(room)
        except StoreError as error:
            logger.error("a room that is too old could not be deleted: %s", error)
            return False
        return True

    def _drop(self, room: Room) -> None:
        """Forget a room that the store has deleted."""
        with room.lock:
            room.is_deleted, room.recording = True, None
        with self._lock:
            self._rooms = {code: one for code, one in self.rooms().items() if one is not room}
        self._writer.forget_room(room.code, room.participants)
        self.membership.dismiss_all(room, "deleted")

    def _stop_recording(self, room: Room) -> None:
        """In the room's turn: samples of later than now are held until the store has stopped."""
        recording, at_ms = room.recording, now_ms()
        if recording is None:
            return
        with room.lock:
            room.stopping_ms = at_ms
        try:
            go_on = partial(self._resume_recording, room, recording.id)
            self.repairs.ask(go_on, Archive.stop_recording, recording.id, at_ms)
            with room.lock:
                room.recording = None
                room.held.clear()
        finally:
            with room.lock:
                room.stopping_ms, held, room.held = None, room.held, []
            self._writer.put(room.code, held)
        self.membership.announce_recording(room)

    def _resume_recording(self, room: Room, recording_id: int) -> None:
        with room.turn:
            if room.recording is not None and room.recording.id == recording_id:
                self._store.call(Archive.stop_recording, recording_id, None)

    def _reopen(self, room: Room) -> None:
        with room.turn:
            self._store.call(Archive.close_room, room.code, room.record.closed_ms)


def _portions(room: Room) -> Iterator[tuple[str, ...]]:
    """The ids of a room's participants, so many as are counted in one go."""
    ids = tuple(room.participants)
    return (ids[first : first + MAX_COUNTED] for first in range(0, len(ids), MAX_COUNTED))


def _restored(saved: SavedRoom) -> Room:
    room = Room(saved.room)
    room.recording = saved.recording
    room.markers = saved.markers
    away_s = time.monotonic()
    room.participants = {
        record.id: Participant(record, away_s=away_s, next_frame=saved.next_frames.get(record.id, 0))
        for record in saved.participants
    }
    return room


def _check_time(room: Room, at_ms: float) -> None:
    """Make sure that a marker's time is one of a room's life, as far as clocks agree.

    Raises:
        BadRequestError: it is not.
    """
    if at_ms < room.record.created_ms - MARKER_TOLERANCE_MS:
        raise BadRequestError("time is before this room was made; check the time and its zone.")
    if not at_ms <= now_ms() + MARKER_TOLERANCE_MS:
        raise BadRequestError("time is in the future; check the time and its zone, or leave it out for now.")
