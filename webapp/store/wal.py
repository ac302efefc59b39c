"""Empties SQLite's write-ahead log after deletions: deleted rows would stay in it.

`secure_delete` overwrites deleted rows in the pages of the database, but the log keeps the pages as they were
until it is emptied, and it cannot be while an export reads from it. Then a thread tries again until it can.
"""

from __future__ import annotations

import logging
import threading

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from webapp.store.database import truncate_wal

RETRY_INTERVAL_S = 0.5

logger = logging.getLogger(__name__)


class WalTruncation:
    """Truncates the log at once, or as soon as nobody is in the way; any thread may ask."""

    def __init__(self, engine: Engine, retry_interval_s: float = RETRY_INTERVAL_S) -> None:
        self._engine = engine
        self._retry_interval_s = retry_interval_s
        self._lock = threading.Lock()
        self._retrying: threading.Thread | None = None
        self._stopping = threading.Event()

    @property
    def is_pending(self) -> bool:
        """Whether deleted rows still lie in the log."""
        return self._retrying is not None

    def truncate(self) -> None:
        """Empty the log now, or in the background where that cannot be."""
        if self._try():
            return
        with self._lock:
            if self._retrying is None:
                self._retrying = threading.Thread(target=self._retry, daemon=True)
                self._retrying.start()

    def close(self) -> None:
        """Try a last time, and end."""
        self._stopping.set()
        thread = self._retrying
        if thread is not None:
            thread.join()
            self._try()

    def _retry(self) -> None:
        while not self._stopping.wait(self._retry_interval_s):
            with self._lock:  # who deletes meanwhile begins another retry, or waits for this one
                if self._try():
                    self._retrying = None
                    logger.info("the write-ahead log was emptied; deleted data are gone from it")
                    return

    def _try(self) -> bool:
        try:
            return truncate_wal(self._engine)
        except SQLAlchemyError as error:
            logger.warning("the write-ahead log with deleted data could not be emptied yet: %s", error)
            return False
