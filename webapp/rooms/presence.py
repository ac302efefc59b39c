"""Which connection is which participant."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from webapp.errors import NotJoinedError, UnavailableError
from webapp.rooms.clock_sync import ClockOffset
from webapp.rooms.participant import Participant
from webapp.rooms.room import Room


class Presence:
    """The connections of all participants; a connection is one participant at a time.

    `is_connected` says whether a connection is still open. Any thread may call it. `_lock` guards all of it,
    briefly; it is taken after a room's lock, if both are needed.
    """

    def __init__(self, is_connected: Callable[[str], bool]) -> None:
        self._is_connected = is_connected
        self._lock = threading.Lock()
        self._joining: set[str] = set()
        self._joined: dict[str, tuple[Room, Participant]] = {}

    def joined(self, connection: str) -> tuple[Room, Participant]:
        """Who a connection is, and in which room.

        Raises:
            NotJoinedError: it is in none.
        """
        found = self._joined.get(connection)
        if found is None:
            raise NotJoinedError("Join the room first, then send frames.")
        return found

    def present(self) -> dict[str, Participant]:
        """Everybody in a room now, by connection."""
        return {connection: participant for connection, (_, participant) in self._joined.copy().items()}

    def at(self, connection: str, room: Room) -> Participant | None:
        """Who a connection is in this room, if anybody."""
        found = self._joined.get(connection)
        return found[1] if found is not None and found[0] is room else None

    @contextmanager
    def one_join(self, connection: str) -> Iterator[None]:
        """Let a connection join once at a time.

        Raises:
            UnavailableError: it is joining already.
        """
        with self._lock:
            if connection in self._joining:
                raise UnavailableError("This browser is about to join already; try again in a moment.")
            self._joining.add(connection)
        try:
            yield
        finally:
            with self._lock:
                self._joining.discard(connection)

    def seat(self, connection: str, room: Room, participant: Participant) -> None:
        """Make a connection a participant's, whoever it was before. The caller holds the room's lock.

        Raises:
            NotJoinedError: the connection has ended.
        """
        with self._lock:
            if not self._is_connected(connection):
                raise NotJoinedError("This connection ended before it had joined; connect and join again.")
            before = self._joined.get(connection)
            if before is not None and before[1] is not participant:
                _vacate(before[1], connection, -math.inf)  # no seat is kept for who goes elsewhere
            if participant.connection != connection:
                self._joined.pop(str(participant.connection), None)
                participant.clock = ClockOffset()  # another connection may be another computer
            participant.connection = connection
            self._joined[connection] = (room, participant)

    def disconnected(self, connection: str) -> None:
        """A connection ended, or its participant left; they are away from now on."""
        with self._lock:
            found = self._joined.pop(connection, None)
            if found is not None:
                _vacate(found[1], connection, time.monotonic())


def _vacate(participant: Participant, connection: str, away_s: float) -> None:
    """A connection is no longer a participant's, if it was theirs."""
    if participant.connection == connection:
        participant.connection, participant.away_s = None, away_s
        participant.seen = participant.readiness = None
        participant.baseline.stop()
