"""What can be done with rooms: create, close, delete and export them.

Every change goes to the store first; if that fails, nothing has changed and a `StoreError` says so. What the
store carries out after it had failed is undone: see `store.repairs`.
"""

from __future__ import annotations

import importlib.util
import logging
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from webapp.errors import BadRequestError, NoSuchRoomError, StoreError
from webapp.rooms.catalogue.all_rooms import AllRooms
from webapp.rooms.catalogue.catalogue import Catalogue
from webapp.rooms.catalogue.loading import Counting
from webapp.rooms.catalogue.owned_rooms import OwnedRooms
from webapp.rooms.clock_sync import now_ms
from webapp.rooms.information import (
    check_information,
    check_translations,
    with_video_notice,
    without_video_notice,
)
from webapp.rooms.markers.service import MarkerService
from webapp.rooms.membership import Membership, Outlet, Tell
from webapp.rooms.preparation import Preparation
from webapp.rooms.recording.control import RecordingControl
from webapp.rooms.recording.recorder import Recorder
from webapp.rooms.room import Room, new_code, normal_code
from webapp.rooms.settings import MAX_NAME_LENGTH, RoomSettings
from webapp.store.client import Store, StoreClient
from webapp.store.exports import Download
from webapp.store.nodes.messages import RETENTION, Identity
from webapp.store.nodes.room_locks import LeasedStore
from webapp.store.records import RoomRecord
from webapp.store.repairs import Repairs
from webapp.store.repositories.recordings import RecordingRepository
from webapp.store.repositories.rooms import RoomRepository
from webapp.store.sample_writer import SampleWriter
from webapp.store.text_checks import check_text

DAY_MS = 86_400_000.0

MAX_DELETED = 5000
"""Samples that the store deletes at once, in some 100 ms."""

DELETIONS_INTERVAL_S = 300.0
"""How often a node looks for rooms whose deletion another one began and did not finish."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NodeParts:
    """What a server needs to be one node among others.

    `locks` asks the process of the locks, `store` that of the database. `send_away` tells the connections of
    a room, given by its code, to connect again; `is_watched` says whether there are any.
    """

    identity: Identity
    locks: StoreClient
    store: StoreClient
    send_away: Callable[[str], None]
    is_watched: Callable[[str], bool]


def can_write_parquet() -> bool:
    """Whether pyarrow is installed, which requirements-lab.txt brings."""
    return importlib.util.find_spec("pyarrow") is not None


class RoomService:
    """The rooms that this server serves.

    Their `membership`, `preparation`, `recordings` and `markers` change them; the `recorder` takes frames.
    `model` is the version of the expression model. `tell` sends an event to a connection, `is_connected` says
    whether one is still open. `node` is what this server is among others, if there may be any; it then tells
    connections by `send_away` that a room goes to another. Any thread may call it; each room has its own lock
    and turn (see `Room`), so that nothing in one room waits for another.
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
        node: NodeParts | None = None,
    ) -> None:
        self._writer = writer
        self._model = model
        self._counting = Counting(store, writer)
        self._deletions_due_s = -math.inf
        self._deletions_interval_s = DELETIONS_INTERVAL_S if node else math.inf
        self._send_away = node.send_away if node else lambda room: None
        self._is_watched = node.is_watched if node else lambda room: True
        self.catalogue: Catalogue = AllRooms(store, self._counting)
        if node:
            owned = OwnedRooms(
                node.locks, node.identity, store, writer, self._counting, on_left=self._part_with
            )
            self.catalogue, store = owned, LeasedStore(node.store, owned.locks)
        self._store = store
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
        """The rooms that this server serves, by code.

        Raises:
            StoreError: they are not loaded yet, and cannot be.
        """
        return self.catalogue.served()

    def loaded(self) -> dict[str, Room]:
        """Those of them that are in memory."""
        return self.catalogue.loaded()

    def listed(self) -> list[Room]:
        """All rooms, also those that other nodes serve, in the order in which they were created."""
        return self.catalogue.listed()

    def is_elsewhere(self, code: str) -> bool:
        """Whether a room was served here, and may be served by another node now."""
        return self.catalogue.is_elsewhere(code)

    def room(self, code: object) -> Room:
        """The room with a code, however it is typed.

        Raises:
            NoSuchRoomError: there is none.
            NotHereError: another node serves it.
        """
        room = self.catalogue.find(normal_code(code))
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
        record = _checked(new_code(self.loaded()), name, information, settings, translations)
        self.repairs.settle()
        self.repairs.ask(
            lambda: self._store.call(RoomRepository.delete_room, record.code), RoomRepository.add_room, record
        )
        room = Room(record)
        self.catalogue.add(room)
        return room

    def copy_room(self, room: Room, name: object = None) -> Room:
        """A new room with the texts and settings of another, under its name unless another is given.

        Raises:
            BadRequestError: the name is wrong, or the text has a placeholder, as those of old rooms may.
        """
        record = room.record
        return self.create_room(
            record.name if name is None else name,
            without_video_notice(record.information),
            room.settings.to_wire(),
            {
                language: without_video_notice(text)
                for language, text in record.information_translations.items()
            },
        )

    def close_room(self, room: Room) -> None:
        """Stop recording, send everybody away, and let nobody join."""
        self.repairs.settle()
        with room.turn:
            if room.is_deleted or room.record.closed_ms is not None:
                return
            at_ms = now_ms()
            reopen = partial(self._reopen, room, at_ms)
            self.repairs.ask(reopen, RoomRepository.close_room, room.code, at_ms)
            try:
                self.recordings.stop_in_turn(room)
            except StoreError:
                self.repairs.later(reopen)
                raise
            with room.lock:
                room.close(at_ms)
        self.membership.dismiss_all(room, "closed")

    def delete_room(self, room: Room) -> None:
        """Delete a room and all that was recorded in it."""
        self.repairs.settle()

        def accept_late_deletion() -> None:
            if not self._store.call(RoomRepository.has_room, room.code):
                self._drop(room)
                self._deletions_due_s = -math.inf

        with room.turn:
            self.repairs.ask(accept_late_deletion, RoomRepository.begin_room_deletion, room.code)
        self._drop(room)
        try:
            self._delete_data(room.code)
        except StoreError as error:
            self._deletions_due_s = -math.inf
            logger.error("a room is deleted; its data will be as soon as the database works: %s", error)

    def delete_old_rooms(self, days: int) -> tuple[int, int]:
        """Delete the rooms that were created more than `days` days ago.

        Returns:
            How many were deleted, and how many could not be.

        Raises:
            StoreError: it cannot be told which there are, or another node is at it.
        """
        with self.catalogue.alone(RETENTION) as is_alone:
            if not is_alone:
                raise StoreError("Another node deletes old rooms now.")
            outcomes = [self._delete_old_room(room) for room in self.catalogue.old(now_ms() - days * DAY_MS)]
        return sum(outcomes), len(outcomes) - sum(outcomes)

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
        self._counting.count()

    def tend_rooms(self) -> None:
        """Give up the rooms that nobody uses, where other nodes can serve them."""
        self.catalogue.tend(self._is_used)

    def finish_deletions(self) -> None:
        """Delete the data of rooms whose deletion was interrupted, in this server or another.

        Raises:
            StoreError: not all are deleted; call it again.
        """
        if time.monotonic() < self._deletions_due_s:
            return
        self._deletions_due_s = time.monotonic() + self._deletions_interval_s
        try:
            for code in self._store.call(RoomRepository.begun_room_deletions):
                self._delete_data(code)
        except StoreError:
            self._deletions_due_s = -math.inf
            raise

    def end_outlets_of_absent(self) -> None:
        """End the streams of participants who do not come back."""
        for room in self.rooms().values() if self.membership.outlets else ():
            self.membership.end_outlets_of_absent(room, time.monotonic())

    # Inside

    def _is_used(self, room: Room) -> bool:
        is_recorded = room.recording is not None and bool(room.settings.lsl_markers)
        return is_recorded or self._is_watched(room.code) or self.membership.feeds.is_read(room)

    def _part_with(self, room: Room) -> None:
        """This server does not serve a room any more."""
        self.membership.part_with(room)
        self._send_away(room.code)

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
        self.catalogue.drop(room)
        self._writer.forget_room(room.code, room.participants)
        self.membership.dismiss_all(room, "deleted")

    def _reopen(self, room: Room, at_ms: float) -> None:
        with room.turn:
            self._store.call(RoomRepository.reopen_room, room.code, at_ms)


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
