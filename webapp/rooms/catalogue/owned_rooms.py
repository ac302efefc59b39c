"""The rooms of a node among others: each is served by the node that holds its lock (`webapp.store.nodes`)."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial

from webapp.errors import NotHereError, StoreError
from webapp.rooms.catalogue.loading import Counting, restored
from webapp.rooms.participant import ELSEWHERE
from webapp.rooms.room import Room, is_code
from webapp.store.client import Store, StoreClient
from webapp.store.concurrency import SingleFlight
from webapp.store.leases import lease_clock
from webapp.store.nodes.messages import Identity, Note, Taken
from webapp.store.nodes.room_locks import RoomLocks
from webapp.store.records import SavedRoom
from webapp.store.repositories.recordings import RecordingRepository
from webapp.store.repositories.rooms import RoomRepository
from webapp.store.sample_writer import SampleWriter

IDLE_S = 20.0
"""A room that nobody used for so long is given up, so that it can go where the proxy sends people."""

NOTE_INTERVAL_S = 3.0

ownership = logging.getLogger("mien.ownership")
"""One line whenever this node begins or ends to serve a room: no other does in between."""


class OwnedRooms:
    """Takes the lock of a room that is asked for, loads it, and gives it up when nobody uses it, or all do.

    Any thread may call it. `_lock` guards the dictionary of rooms, which is replaced and never changed.
    `on_left` is called with each room that this node does not serve any more. A room that was lost is kept in
    memory with the samples that wait: if no other node had it in between, it goes on as it was.
    """

    def __init__(
        self,
        client: StoreClient,
        identity: Identity,
        store: Store,
        writer: SampleWriter,
        counting: Counting,
        on_left: Callable[[Room], None],
    ) -> None:
        self.locks = RoomLocks(client, identity, self._on_lost)
        self._node = identity.node
        self._store = store
        self._writer = writer
        self._counting = counting
        self._on_left = on_left
        self._lock = threading.Lock()
        self._rooms: dict[str, Room] = {}
        self._kept: dict[str, Room] = {}
        self._taking: dict[str, SingleFlight[Room | None]] = {}
        self._used_s: dict[str, float] = {}
        self._notes: dict[str, tuple[float, Note]] = {}
        self._elsewhere: set[str] = set()
        self._is_ending = False

    def start(self) -> None:
        """Begin to hold locks."""
        self.locks.start()

    def stop(self) -> None:
        """Give all up."""
        self.locks.stop()

    def served(self) -> dict[str, Room]:
        """See `Catalogue`."""
        return {code: room for code, room in self._rooms.items() if self.locks.holds(code)}

    def loaded(self) -> dict[str, Room]:
        """See `Catalogue`."""
        return self.served()

    def lease_s(self) -> float | None:
        """See `Catalogue`."""
        return max(0.0, self.locks.lease_end_s - lease_clock())

    def is_elsewhere(self, code: str) -> bool:
        """See `Catalogue`."""
        return code in self._elsewhere or (code in self._rooms and not self.locks.holds(code))

    def listed(self) -> list[Room]:
        """See `Catalogue`."""
        own = self.served()
        saved = self._store.call(RoomRepository.list_rooms)
        return [own.get(one.room.code) or _shown(one) for one in saved]

    def find(self, code: str) -> Room | None:
        """See `Catalogue`."""
        room = self._rooms.get(code)
        if room is not None and self.locks.holds(code):
            self._used_s[code] = time.monotonic()
            return room
        if self._is_ending:
            raise NotHereError
        if not is_code(code):  # PostgreSQL takes no NUL
            return None
        with self._lock:
            take = self._taking.setdefault(code, SingleFlight(partial(self._take, code)))
        try:
            return take()
        finally:
            with self._lock:
                if self._taking.get(code) is take:
                    del self._taking[code]

    def add(self, room: Room) -> None:
        """See `Catalogue`; it is served by the node that is first asked for it."""

    def drop(self, room: Room) -> None:
        """See `Catalogue`."""
        if self._forget(room):
            self._elsewhere.discard(room.code)
            self._give([room])

    def old(self, created_ms: float) -> Iterator[Room]:
        """See `Catalogue`; nodes that serve old rooms delete them when it is their turn."""
        for code in self._store.call(RoomRepository.rooms_before, created_ms):
            try:
                room = self.find(code)
            except NotHereError:
                continue
            if room is not None:
                yield room

    @contextmanager
    def alone(self, task: str) -> Iterator[bool]:
        """See `Catalogue`."""
        is_mine = self.locks.take_task(task)
        try:
            yield is_mine
        finally:
            if is_mine:
                self.locks.give_task(task)

    def tend(self, is_used: Callable[[Room], bool]) -> None:
        """See `Catalogue`: give up what nobody uses, and say of the rest what lists show."""
        now_s = time.monotonic()
        for code, room in self.served().items():
            if is_used(room):
                self._used_s[code] = now_s
            self._note(room, now_s)
        idle = [room for code, room in self._rooms.items() if now_s - self._used_s.get(code, 0.0) > IDLE_S]
        if idle and self._writer.flush():
            self._give_up(idle)

    def give_up_all(self) -> None:
        """See `Catalogue`."""
        self._is_ending = True
        self._give_up(list(self._rooms.values()))

    def _give_up(self, rooms: Iterable[Room]) -> None:
        """Serve rooms no more, store what waits, let others have them, and tell whoever is there."""
        left = [room for room in rooms if self._forget(room)]
        for room in left:
            with room.lock:  # frames that were under way have left their samples by now
                pass
        self._writer.flush()
        self._give(left)
        for room in left:
            self._on_left(room)

    def _give(self, rooms: list[Room]) -> None:
        for room in rooms:
            ownership.info("room %s given up by node %s, epoch %d", room.code, self._node, room.epoch)
        try:
            self.locks.give(room.code for room in rooms)
        except StoreError as error:
            ownership.warning("node %s could not say so: %s", self._node, error)
        for room in rooms:
            self._writer.count_anew(room.code)

    def _forget(self, room: Room) -> bool:
        """Take a room out; whether it was there."""
        with self._lock:
            is_here = self._rooms.get(room.code) is room
            if is_here:
                self._elsewhere.add(room.code)
                self._rooms = {code: one for code, one in self._rooms.items() if one is not room}
        self._counting.drop(room)
        self._used_s.pop(room.code, None)
        self._notes.pop(room.code, None)
        return is_here

    def _on_lost(self, lost: dict[str, float]) -> None:
        """Locks were lost: serve their rooms no more, and tell whoever is there."""
        for code, end_s in lost.items():
            room = self._rooms.get(code)
            if room is None or not self._forget(room):
                continue
            self._kept[code] = room
            until = datetime.fromtimestamp(time.time() + min(0.0, end_s - lease_clock()), UTC)
            ownership.warning(
                "room %s lost by node %s, epoch %d, served until %s",
                *(code, self._node, room.epoch, until.isoformat(timespec="milliseconds")),
            )
            self._on_left(room)

    def _take(self, code: str) -> Room | None:
        """Begin to serve a room, once the lease of whoever lost it is over."""
        self.locks.wait_for_lease()
        if not self._store.call(RoomRepository.has_room, code):
            return None
        taken = self.locks.take(code)
        time.sleep(taken.wait_s)
        try:
            room = self._kept_or_loaded(code, taken)
        except StoreError:
            self.locks.give([code])
            raise
        if room is None:
            self.locks.give([code])
            return None
        room.guard = partial(self._check, room)
        with self._lock:
            if not self.locks.holds(code) or self._is_ending:
                raise NotHereError
            ownership.info("room %s taken by node %s, epoch %d", code, self._node, room.epoch)
            self._rooms = {**self._rooms, code: room}
            self._elsewhere.discard(code)
            self._used_s[code] = time.monotonic()
        return room

    def _kept_or_loaded(self, code: str, taken: Taken) -> Room | None:
        known = self._kept.pop(code, None) or self._rooms.get(code)
        if known is not None and known.epoch == taken.epoch:
            return known
        if known is not None and self._forget(known):
            self._on_left(known)
        if self._writer.status(code).waiting and not self._writer.flush():
            raise StoreError("Samples of this room wait to be stored; it is loaded after them.")
        saved = self._store.call(RoomRepository.load_room, code)
        if saved is None:
            return None
        last_sample_id = self._store.call(RecordingRepository.last_sample_id)
        self._writer.count_anew(code)
        # Who gave it up had nobody in it for a while: there are no seats to keep.
        room = restored(saved, time.monotonic() if taken.wait_s > 0 else -math.inf)
        room.epoch = taken.epoch
        self._counting.add(room, last_sample_id)
        return room

    def _check(self, room: Room) -> None:
        if self._rooms.get(room.code) is not room or not self.locks.holds(room.code):
            raise NotHereError

    def _note(self, room: Room, now_s: float) -> None:
        connected = tuple(one.record.id for one in room.participants.values() if one.connection is not None)
        note = Note(self._writer.status(room.code).stored, connected)
        said_s, said = self._notes.get(room.code, (0.0, None))
        if note != said and now_s - said_s >= NOTE_INTERVAL_S:
            self._notes[room.code] = now_s, note
            self.locks.note(room.code, note)


def _shown(saved: SavedRoom) -> Room:
    """A room for lists, as the node that serves it last said."""
    room = restored(saved, -math.inf)
    room.stored_elsewhere = saved.samples
    for participant_id in saved.connected:
        if (participant := room.participants.get(participant_id)) is not None:
            participant.connection = ELSEWHERE
    return room
