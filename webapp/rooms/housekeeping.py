"""What runs in the background: repairs, counting, ending streams, and the deletion of old rooms.

All of it may wait for the store, so it has a thread of its own: neither dashboards nor frames wait for it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from webapp.errors import StoreError
from webapp.rooms.service import RoomService

INTERVAL_S = 1.0
RETENTION_INTERVAL_S = 3600.0
RETRY_INTERVAL_S = 60.0

logger = logging.getLogger(__name__)


class Housekeeping:
    """One thread, which runs once a second; only that thread calls the steps."""

    def __init__(
        self,
        room_service: RoomService,
        retention_days: int,
        on_retention: Callable[[int], None] = lambda deleted: None,
    ) -> None:
        """`on_retention` is told how many rooms were deleted because of their age."""
        self._room_service = room_service
        self._on_retention = on_retention
        self._retention_days = retention_days
        self._retention_due_s = 0.0
        self._stopping = threading.Event()

    def start(self) -> None:
        """Begin, with all steps at once."""
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        """End after the step that is under way."""
        self._stopping.set()

    def keep_retention(self, now_s: float) -> None:
        """Delete the rooms that are too old, at the start and then every hour; sooner if that failed."""
        if self._retention_days and now_s >= self._retention_due_s:
            self._retention_due_s = now_s + RETRY_INTERVAL_S
            deleted, left = self._room_service.delete_old_rooms(self._retention_days)
            if not left:
                self._retention_due_s = now_s + RETENTION_INTERVAL_S
            if deleted:
                logger.warning("%d rooms were older than %d days: deleted", deleted, self._retention_days)
                self._on_retention(deleted)

    def _run(self) -> None:
        while True:
            for step in (
                self._room_service.settle,
                self._room_service.tend_rooms,
                self._room_service.count_samples,
                self._room_service.end_outlets_of_absent,
                self._room_service.finish_deletions,
                lambda: self.keep_retention(time.monotonic()),
            ):
                _attempt(step)
            if self._stopping.wait(INTERVAL_S):
                return


def _attempt(step: Callable[[], None]) -> None:
    try:
        step()
    except StoreError as error:
        logger.debug("housekeeping waits for the store: %s", error)
    except Exception:
        logger.exception("housekeeping failed, and will be tried again")
