"""The activity log: sign-ins, keys, rooms, recordings, exports and deletions; who, when, what.

It has no aliases, addresses, texts or images. Entries are buffered and written once a second, so that a
request does not wait for them; while the database is away they wait, the last MAX_WAITING of them.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque

from webapp.accounts.identity import HostUser
from webapp.errors import StoreError
from webapp.store.client import Store
from webapp.store.records import AuditRecord
from webapp.store.repositories.audit import AuditRepository

WRITE_INTERVAL_S = 1.0

MAX_WAITING = 10_000

DAY_MS = 86_400_000.0

CLEANING_INTERVAL_S = 3600.0

SERVER = "server"
"""The actor, and the proof, of what nobody asked for."""

KEY = "key "
"""Begins the proof of what was done with a key; its name follows."""

WITHDRAWAL = "withdraw"
"""A participant deleted what was recorded of them."""

logger = logging.getLogger(__name__)


class AuditLog:
    """Writes and reads the log. Any thread may call it; a thread of its own writes.

    `_lock` guards the buffer for moments, `_writing` lets one thread at a time ask the store.
    """

    def __init__(self, store: Store, keep_days: int = 365) -> None:
        self._store = store
        self._keep_days = keep_days
        self._waiting: deque[AuditRecord] = deque(maxlen=MAX_WAITING)
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._stopping = threading.Event()
        self._cleaned_s: float | None = None

    def start(self) -> None:
        """Begin to write."""
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        """Write what waits, and end."""
        self._stopping.set()
        self.flush()

    def note(self, who: HostUser | None, action: str, subject: str = "") -> None:
        """Note what a host did, or somebody who is none."""
        actor, proof = _shown(who)
        self._add(AuditRecord(1000 * time.time(), actor, proof, action, subject[:200]))

    def note_retention(self, deleted: int) -> None:
        """Note that the server deleted rooms because of their age."""
        self._add(AuditRecord(1000 * time.time(), SERVER, SERVER, "delete old rooms", str(deleted)))

    def entries(self, before_ms: float, limit: int) -> list[AuditRecord]:
        """The last entries before a time, the newest first, with those that were just noted.

        Raises:
            StoreError: the store cannot tell.
        """
        self.flush()
        return self._store.call(AuditRepository.entries, before_ms, limit)

    def flush(self) -> None:
        """Write what waits; if the store fails, it waits on."""
        with self._writing:
            with self._lock:
                batch = list(self._waiting)
            if not batch:
                return
            try:
                self._store.call(AuditRepository.add_entries, batch)
            except StoreError as error:
                logger.debug("the activity log waits for the store: %s", error)
                return
            with self._lock:
                for entry in batch:
                    if self._waiting and self._waiting[0] is entry:
                        self._waiting.popleft()

    def _add(self, entry: AuditRecord) -> None:
        with self._lock:
            self._waiting.append(entry)

    def _run(self) -> None:
        while not self._stopping.wait(WRITE_INTERVAL_S):
            try:
                self.flush()
                self._clean(time.monotonic())
            except StoreError as error:
                logger.debug("the activity log waits for the store: %s", error)

    def _clean(self, now_s: float) -> None:
        if self._cleaned_s is None or now_s - self._cleaned_s >= CLEANING_INTERVAL_S:
            self._store.call(AuditRepository.delete_entries, 1000 * time.time() - self._keep_days * DAY_MS)
            self._cleaned_s = now_s


def shown_code(code: str) -> str:
    """A room as the log names it, which outlives the room: half of its code, which opens nothing."""
    return f"{code[: len(code) // 2]}…"


def _shown(who: HostUser | None) -> tuple[str, str]:
    """The name of an actor, and how they proved to be who they are."""
    if who is None:
        return "", ""
    return who.name, f"{KEY}{who.key.name}"[:80] if who.key else who.proof
