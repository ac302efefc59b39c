"""What can be done with rooms: create, close, delete and export them.

Every change goes to the store first; if that fails, nothing has changed and a `StoreError` says so. What the
store carries out after it had failed is undone: see `store.repairs`.
"""

from __future__ import annotations

import importlib.util
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from webapp.errors import BadRequestError, NoSuchRoomError, StoreError
from webapp.rooms.clock_sync import now_ms
from webapp.rooms.information import check_information, check_translations, with_video_notice
from webapp.rooms.markers.service import MarkerService
from webapp.rooms.membership import Membership, Outlet, Tell
from webapp.rooms.participant import Participant
from webapp.rooms.preparation import Preparation
from webapp.rooms.recording.control import RecordingControl
from webapp.rooms.recording.recorder import Recorder
from webapp.rooms.room import Room, new_code, normal_code
from webapp.rooms.settings import MAX_NAME_LENGTH, RoomSettings
from webapp.store.client import Store
from webapp.store.concurrency import SingleFlight
from webapp.store.exports import Download
from webapp.store.records import RoomRecord, SavedRoom
from webapp.store.repairs import Repairs
from webapp.store.repositories.recordings import RecordingRepository
from webapp.store.repositories.rooms import RoomRepository
from webapp.store.sample_writer import SampleWriter
from webapp.store.text_checks import check_text

DAY_MS = 86_400_000.0

MAX_COUNTED = 10
"""Participants whose samples the store counts at once; it answers others in between."""

MAX_DELETED = 5000
"""Samples that the store deletes at once, in some 100 ms."""

logger = logging.getLogger(__name__)


def can_write_parquet() -> bool:
    """Whether pyarrow is installed, which requirements-lab.txt brings."""
    return importlib.util.find_spec("pyarrow") is not None


class RoomService:
    """All rooms of this server.

    Their `membership`, `preparation`, `recordings` and `markers` change them; the `recorder` takes frames.
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
        self.preparation = Preparation(self.membership)
        self.recordings = RecordingControl(store, writer, self.repairs, self.membership)
        self.markers = MarkerService(store, self.repairs, self.membership)
        self.recorder = Recorder(self.membership, writer, model)

    # Rooms

    def rooms(self) -> dict[str, Room]:
        """All rooms by code, in the order in which they were created.

        Raises:
            StoreError: they are not loaded yet, and cannot be.
        """
        return self._load() if self._rooms is None else self._rooms

    def loaded(self) -> dict[str, Room]:
        """The rooms that are in memory: all, or none before the store was first asked."""
        return self._rooms or {}

    def room(self, code: object) -> Room:
        """The room with a code, however it is typed.

        Raises:
            NoSuchRoomError: there is none.
        """
        room = self.rooms().get(normal_code(code))
        if room is None:
            raise NoSuchRoomError("There is no room with this code; check it, or ask the person who runs it.")
        return room

    def create_room(
        self, name: object, information: object, settings: object, translations: object = None
    ) -> Room:
        """A new room, whose information may be given in other languages too.

        Raises:
            BadRequestError: a field is missing or wrong.
        """
        record = _checked(new_code(self.rooms()), name, information, settings, translations)
        self.repairs.settle()
        self.repairs.ask(
            lambda: self._store.call(RoomRepository.delete_room, record.code), RoomRepository.add_room, record
        )
        room = Room(record)
        with self._lock:
            self._rooms = {**self.rooms(), record.code: room}
        return room

    def copy_room(self, room: Room, name: object = None) -> Room:
        """A new room with the texts and settings of another, under its name unless another is given.

        Raises:
            BadRequestError: the name is wrong, or the text has a placeholder, as those of old rooms may.
        """
        record = room.record
        return self.create_room(
            record.name if name is None else name,
            record.information,
            room.settings.to_wire(),
            record.information_translations,
        )

    def close_room(self, room: Room) -> None:
        """Stop recording, send everybody away, and let nobody join."""
        self.repairs.settle()
        with room.turn:
            if room.record.closed_ms is not None:
                return
            self.recordings.stop_in_turn(room)
            at_ms = now_ms()
            self.repairs.ask(lambda: self._reopen(room), RoomRepository.close_room, room.code, at_ms)
            with room.lock:
                room.close(at_ms)
        self.membership.dismiss_all(room, "closed")

    def delete_room(self, room: Room) -> None:
        """Delete a room and all that was recorded in it."""
        self.repairs.settle()

        def accept_late_deletion() -> None:
            if not self._store.call(RoomRepository.has_room, room.code):
                self._drop(room)
                self._has_unfinished_deletions = True

        with room.turn:
            self.repairs.ask(accept_late_deletion, RoomRepository.begin_room_deletion, room.code)
        self._drop(room)
        try:
            self._delete_data(room.code)
        except StoreError as error:
            self._has_unfinished_deletions = True
            logger.error("a room is deleted; its data will be as soon as the database works: %s", error)

    def delete_old_rooms(self, days: int) -> int:
        """Delete the rooms that were created more than `days` days ago; returns how many.

        Raises:
            StoreError: not all could be deleted, those that could are.
        """
        old = [room for room in self.rooms().values() if now_ms() - room.record.created_ms > days * DAY_MS]
        deleted = sum(self._delete_old_room(room) for room in old)
        if deleted < len(old):
            raise StoreError(f"{len(old) - deleted} rooms that are too old could not be deleted.")
        return deleted

    def export(self, room: Room, about: dict[str, Any], form: str) -> Download:
        """The pieces of a ZIP file with everything of a room.

        Raises:
            ExportsBusyError: as many exports as allowed are running.
            StoreError: now, or while pieces are fetched.
        """
        self._writer.flush()
        written = self._writer.status(room.code)
        unstored = {"waiting": written.waiting, "lost": written.lost}
        return Download(self._store, room.code, {**about, **unstored, "model": self._model}, form)

    # Called by housekeeping

    def settle(self) -> None:
        """Undo, or accept, what the store carried out after it had failed."""
        self.repairs.settle()

    def count_samples(self) -> None:
        """Count what the store had of each participant at the start, a few participants at a time.

        Raises:
            StoreError: not all are counted; call it again.
        """
        self.rooms()
        while self._uncounted:
            room, participant_ids = self._uncounted[-1]
            counted = self._store.call(RecordingRepository.samples_of, participant_ids, self._last_sample_id)
            self._uncounted.pop()
            for participant_id, samples in counted.items():
                self._writer.add_stored(room.code, participant_id, samples)

    def finish_deletions(self) -> None:
        """Delete the data of rooms whose deletion was interrupted, in this server or an earlier one.

        Raises:
            StoreError: not all are deleted; call it again.
        """
        if not self._has_unfinished_deletions:
            return
        self._has_unfinished_deletions = False
        try:
            for code in self._store.call(RoomRepository.begun_room_deletions):
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
        saved = self._store.call(RoomRepository.load_rooms)
        self._last_sample_id = self._store.call(RecordingRepository.last_sample_id)
        rooms = {one.room.code: _restored(one) for one in saved}
        self._uncounted = [(room, ids) for room in rooms.values() for ids in _portions(room)]
        self._rooms = rooms
        return rooms

    def _delete_data(self, code: str) -> None:
        """Delete a room's data in portions, so that the store answers others between them."""
        while self._store.call(RecordingRepository.delete_samples, code, MAX_DELETED) == MAX_DELETED:
            pass
        self._store.call(RoomRepository.delete_room, code)
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

    def _reopen(self, room: Room) -> None:
        with room.turn:
            self._store.call(RoomRepository.close_room, room.code, room.record.closed_ms)


def _checked(
    code: str, name: object, information: object, settings: object, translations: object
) -> RoomRecord:
    """The record of a new room, from what its host sent."""
    chosen = RoomSettings.from_wire(settings)
    translated = check_translations({} if translations is None else translations)
    if chosen.language in translated:
        raise BadRequestError(
            f"information_translations has {chosen.language}, the language of information itself: omit it."
        )
    texts = {"": check_information("information", information), **translated}
    if chosen.video:
        texts = {
            language: with_video_notice(text, language or chosen.language) for language, text in texts.items()
        }
    return RoomRecord(
        code=code,
        name=check_text("name", name, MAX_NAME_LENGTH),
        information=texts.pop(""),
        settings=chosen.to_wire(),
        created_ms=now_ms(),
        information_translations=texts,
    )


def _portions(room: Room) -> Iterator[tuple[str, ...]]:
    """The ids of a room's participants, so many as are counted in one go."""
    ids = tuple(room.participants)
    return (ids[first : first + MAX_COUNTED] for first in range(0, len(ids), MAX_COUNTED))


def _restored(saved: SavedRoom) -> Room:
    room = Room(saved.room)
    room.recording = saved.recording
    room.last_recorded_ms = saved.last_recorded_ms
    room.markers = saved.markers
    away_s = time.monotonic()
    room.participants = {
        record.id: Participant(record, away_s=away_s, next_frame=saved.next_frames.get(record.id, 0))
        for record in saved.participants
    }
    return room
