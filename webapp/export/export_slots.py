"""The running exports of the store's process: a few at once, and none that nobody fetches."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from webapp.errors import StoreError

MAX_EXPORTS = 2
"""Each holds a connection and a snapshot of the database, and takes the time of the others."""

IDLE_TIMEOUT_S = 60.0
"""A download of which nothing was fetched for this long was abandoned."""

TIMEOUT_S = 1800.0
"""Deleted rows cannot be overwritten everywhere before the snapshots end in which they still are."""

CHECK_INTERVAL_S = 1.0

logger = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Export:
    """One that is under way; `lock` is held while a piece is made."""

    room: str
    pieces: Iterator[bytes]
    lock: threading.Lock = field(default_factory=threading.Lock)
    started_s: float = field(default_factory=time.monotonic)
    fetched_s: float = field(default_factory=time.monotonic)


class ExportSlots:
    """Holds exports by id. Any thread may call; a thread of its own closes what was abandoned."""

    def __init__(
        self, slots: int = MAX_EXPORTS, idle_timeout_s: float = IDLE_TIMEOUT_S, timeout_s: float = TIMEOUT_S
    ) -> None:
        self._slots = slots
        self._idle_timeout_s = idle_timeout_s
        self._timeout_s = timeout_s
        self._exports: dict[str, _Export] = {}
        self._lock = threading.Lock()
        self._watching = False

    def __len__(self) -> int:
        return len(self._exports)

    def open(self, room: str, pieces: Iterator[bytes]) -> str | None:
        """Begin an export of a room: its id, or None where all slots are taken.

        The id is random: one of an earlier process of the store must not name another export in this one.
        """
        with self._lock:
            if len(self._exports) >= self._slots:
                return None
            export_id = secrets.token_hex(8)
            self._exports[export_id] = _Export(room, pieces)
            if not self._watching:
                self._watching = True
                threading.Thread(target=self._watch, daemon=True).start()
        return export_id

    def read(self, export_id: str) -> bytes | None:
        """The next piece, or None after the last, which ends the export.

        Raises:
            StoreError: there is no such export (any more).
        """
        export = self._exports.get(export_id)
        if export is None:
            raise _closed()
        with export.lock:
            if export_id not in self._exports:
                raise _closed()
            piece = next(export.pieces, None)
            export.fetched_s = time.monotonic()
        if piece is None:
            self.close(export_id)
        return piece

    def close(self, export_id: str) -> None:
        """Abort an export, or forget one that ended; it holds nothing of the database afterwards."""
        with self._lock:
            export = self._exports.pop(export_id, None)
        if export is not None:
            with export.lock:
                _end(export.pieces)

    def close_room(self, room: str) -> None:
        """Abort all exports of a room."""
        for export_id, export in list(self._exports.items()):
            if export.room == room:
                self.close(export_id)

    def close_all(self) -> None:
        """Abort all exports."""
        for export_id in list(self._exports):
            self.close(export_id)

    def _watch(self) -> None:
        while self._has_exports():
            time.sleep(min(CHECK_INTERVAL_S, self._idle_timeout_s / 4))
            self._close_overdue(time.monotonic())

    def _has_exports(self) -> bool:
        with self._lock:
            self._watching = bool(self._exports)
            return self._watching

    def _close_overdue(self, now_s: float) -> None:
        for export_id, export in list(self._exports.items()):
            if export.lock.locked():
                continue  # a piece is being made
            if now_s - export.fetched_s > self._idle_timeout_s or now_s - export.started_s > self._timeout_s:
                logger.warning("an export was closed: it was abandoned, or took too long")
                self.close(export_id)


def _end(pieces: Iterator[bytes]) -> None:
    """Close a generator, and with it the snapshot that it reads."""
    close = getattr(pieces, "close", None)
    if close is not None:
        close()


def _closed() -> StoreError:
    return StoreError(
        "This export was closed: nothing was fetched for a minute, it took too long, or its room was deleted."
    )
