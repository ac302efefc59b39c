"""The server's side of a node's locks: which rooms it may serve, and until when."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import ParamSpec, TypeVar

from webapp.errors import LeaseOverError, NotHereError, StoreError
from webapp.store.client import Method, StoreClient
from webapp.store.leases import lease_clock
from webapp.store.nodes.locks import NodeLocks
from webapp.store.nodes.messages import (
    HEARTBEAT_INTERVAL_S,
    LEASE_S,
    Heartbeat,
    HeldElsewhere,
    Identity,
    Note,
    Taken,
)
from webapp.store.requests import CALL_TIMEOUT_S, needs_lease

FIRST_HEARTBEAT_INTERVAL_S = 0.2
"""While there is no lease."""

WATCH_INTERVAL_S = 0.2

READY_TIMEOUT_S = 5.0
"""A request waits for so long for the first session, or for another after a loss."""

P = ParamSpec("P")
T = TypeVar("T")

OnLost = Callable[[dict[str, float]], None]
"""Is told which rooms were lost, and until when on the clock of leases each could be served."""

logger = logging.getLogger(__name__)


class RoomLocks:
    """The locks that this node holds, and the lease that says until when they count.

    Any thread may call it. `_lock` guards the claims and the lease, for moments; it is not held while the
    process of the locks is asked. One thread sends heartbeats, another watches the end of the lease.
    """

    def __init__(self, client: StoreClient, identity: Identity, on_lost: OnLost) -> None:
        self._client = client
        self._identity = identity
        self._on_lost = on_lost
        self._lock = threading.Lock()
        self._claims: dict[str, int] = {}
        self._notes: dict[str, Note] = {}
        self._session = ""
        self._lease_end_s = 0.0
        self._other_keys: tuple[str, ...] = ()
        self._has_lease = threading.Event()
        self._stopping = threading.Event()
        self.accounts = 0

    def start(self) -> None:
        """Start the process, and begin to ask for the lease."""
        self._client.start()
        for run in (self._run_heartbeats, self._run_watch):
            threading.Thread(target=run, daemon=True).start()

    def stop(self) -> None:
        """Give everything up."""
        self._stopping.set()
        self._client.stop()

    @property
    def lease_end_s(self) -> float:
        """Until when this node may serve the rooms that it holds, on the clock of leases."""
        return self._lease_end_s

    def wait_for_lease(self) -> None:
        """Wait for a lease, if there is none.

        Raises:
            StoreError: there was none in time.
        """
        if lease_clock() >= self._lease_end_s:
            self._has_lease.clear()
            if lease_clock() >= self._lease_end_s and not self._has_lease.wait(READY_TIMEOUT_S):
                raise StoreError("The connection that holds the locks of rooms is not there.")

    def holds(self, room: str) -> bool:
        """Whether this node may serve a room now."""
        return room in self._claims and lease_clock() < self._lease_end_s

    def take(self, room: str) -> Taken:
        """Take the lock of a room.

        Raises:
            NotHereError: another node has it.
            StoreError: nobody can tell.
        """
        taken = self._client.call(NodeLocks.take, self._identity, room)
        if taken is None:
            raise StoreError("The connection that holds the locks of rooms is not there.")
        if isinstance(taken, HeldElsewhere):
            raise NotHereError(taken.node)
        with self._lock:
            if taken.session != self._session:  # it has ended, and the lock with it
                raise NotHereError
            self._claims[room] = taken.epoch
        return taken

    def give(self, rooms: Iterable[str]) -> None:
        """Give rooms up whose data are all stored.

        Raises:
            StoreError: that may not have arrived; the locks are given up soon, as nobody claims them.
        """
        given = list(rooms)
        with self._lock:
            for room in given:
                self._claims.pop(room, None)
                self._notes.pop(room, None)
        if given:
            self._client.call(NodeLocks.give, self._identity, given)

    def note(self, room: str, note: Note) -> None:
        """Say something of a room to other nodes, with the next heartbeat."""
        with self._lock:
            if room in self._claims:
                self._notes[room] = note

    def take_task(self, name: str) -> bool:
        """Take the lock for what one node at a time does; whether this node has it."""
        return self._client.call(NodeLocks.take_named, name)

    def give_task(self, name: str) -> None:
        """Give such a lock up."""
        self._client.call(NodeLocks.give_named, name)

    def _run_heartbeats(self) -> None:
        pause_s = 0.0
        while not self._stopping.wait(pause_s):
            try:
                is_well = self._heartbeat()
            except StoreError as error:
                logger.debug("a heartbeat got no answer: %s", error)
                is_well = False
            pause_s = HEARTBEAT_INTERVAL_S if is_well else FIRST_HEARTBEAT_INTERVAL_S

    def _heartbeat(self) -> bool:
        """Renew the lease; whether that went well."""
        with self._lock:
            claimed, notes, self._notes = dict(self._claims), self._notes, {}
        sent_s = lease_clock()
        heartbeat = None
        try:
            heartbeat = self._client.call(NodeLocks.heartbeat, self._identity, claimed, notes)
        finally:
            if heartbeat is None:
                self._say_again(notes)
        if heartbeat is None:
            return False
        lost = self._accept(heartbeat, claimed, sent_s)
        self._has_lease.set()
        self.accounts = heartbeat.accounts
        self._compare_keys(heartbeat.other_keys)
        if lost:
            self._on_lost(lost)
        return True

    def _say_again(self, notes: dict[str, Note]) -> None:
        """Keep notes for the next heartbeat, unless there are newer ones or the room is no longer ours."""
        with self._lock:
            unsaid = {room: note for room, note in notes.items() if room in self._claims}
            self._notes = {**unsaid, **self._notes}

    def _accept(self, heartbeat: Heartbeat, claimed: dict[str, int], sent_s: float) -> dict[str, float]:
        """Take an answer over: what was claimed and is not held is lost, as is what another session held."""
        with self._lock:
            asked = claimed if heartbeat.session == self._session else self._claims
            gone = [room for room in asked if room in self._claims and room not in heartbeat.held]
            end_s = min(self._lease_end_s, lease_clock())
            for room in gone:
                del self._claims[room]
            self._session, self._lease_end_s = heartbeat.session, sent_s + LEASE_S
        return dict.fromkeys(gone, end_s)

    def _run_watch(self) -> None:
        while not self._stopping.wait(WATCH_INTERVAL_S):
            with self._lock:
                is_over = lease_clock() >= self._lease_end_s
                lost = dict.fromkeys(self._claims, self._lease_end_s) if is_over else {}
                self._claims = {} if is_over else self._claims
            if lost:
                self._on_lost(lost)

    def _compare_keys(self, other_keys: tuple[str, ...]) -> None:
        if other_keys and other_keys != self._other_keys:
            logger.error(
                "This node's key of sessions is not that of %s: hosts will be signed out again and again. "
                "Give all nodes the same MIEN_SECRET_KEY or MIEN_SECRET_KEY_FILE.",
                ", ".join(other_keys),
            )
        self._other_keys = other_keys


class LeasedStore:
    """Asks the store for rooms: no change is committed once this node's lease is over.

    A slow store may take longer than what was left of the lease; it is asked again as the lease was renewed.
    """

    def __init__(self, client: StoreClient, locks: RoomLocks) -> None:
        self._client = client
        self._locks = locks

    def call(self, method: Method[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """See `Store`."""
        if not needs_lease(method):
            return self._client.call(method, *arguments, **named)
        end_s = time.monotonic() + CALL_TIMEOUT_S
        while True:
            self._locks.wait_for_lease()
            try:
                return self._client.call_within(self._locks.lease_end_s, method, *arguments, **named)
            except LeaseOverError:
                if time.monotonic() >= end_s:
                    raise
