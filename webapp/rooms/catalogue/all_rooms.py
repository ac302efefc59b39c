"""The rooms of a server that has its database to itself: all of them are in memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from webapp.rooms.catalogue.loading import Counting, restored
from webapp.rooms.room import Room
from webapp.store.client import Store
from webapp.store.concurrency import SingleFlight
from webapp.store.repositories.recordings import RecordingRepository
from webapp.store.repositories.rooms import RoomRepository


class AllRooms:
    """Loads all rooms when they are first asked for.

    Any thread may call it. `_lock` guards the dictionary, which is replaced and never changed.
    """

    def __init__(self, store: Store, counting: Counting) -> None:
        self._store = store
        self._counting = counting
        self._rooms: dict[str, Room] | None = None
        self._lock = threading.Lock()
        self._load = SingleFlight(self._load_rooms)

    def start(self) -> None:
        """Nothing runs."""

    def stop(self) -> None:
        """Nothing runs."""

    def served(self) -> dict[str, Room]:
        """See `Catalogue`."""
        return self._load() if self._rooms is None else self._rooms

    def loaded(self) -> dict[str, Room]:
        """See `Catalogue`; none before the store was first asked."""
        return self._rooms or {}

    def lease_s(self) -> float | None:
        """See `Catalogue`."""
        return None

    def is_elsewhere(self, code: str) -> bool:
        """See `Catalogue`: there is no other node."""
        return False

    def listed(self) -> list[Room]:
        """See `Catalogue`."""
        return list(self.served().values())

    def find(self, code: str) -> Room | None:
        """See `Catalogue`."""
        return self.served().get(code)

    def add(self, room: Room) -> None:
        """See `Catalogue`."""
        with self._lock:
            self._rooms = {**self.served(), room.code: room}

    def drop(self, room: Room) -> None:
        """See `Catalogue`."""
        with self._lock:
            self._rooms = {code: one for code, one in self.served().items() if one is not room}

    def old(self, created_ms: float) -> Iterator[Room]:
        """See `Catalogue`."""
        return (room for room in self.listed() if room.record.created_ms < created_ms)

    @contextmanager
    def alone(self, task: str) -> Iterator[bool]:
        """See `Catalogue`: there is no other."""
        yield True

    def tend(self, is_used: Callable[[Room], bool]) -> None:
        """See `Catalogue`: all rooms stay in memory."""

    def give_up_all(self) -> None:
        """See `Catalogue`: there is nobody to have them."""

    def _load_rooms(self) -> dict[str, Room]:
        if self._rooms is not None:
            return self._rooms
        saved = self._store.call(RoomRepository.load_rooms)
        last_sample_id = self._store.call(RecordingRepository.last_sample_id)
        rooms = {one.room.code: restored(one, time.monotonic()) for one in saved}
        for room in rooms.values():
            self._counting.add(room, last_sample_id)
        self._rooms = rooms
        return rooms
