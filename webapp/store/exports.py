"""What the store can be asked about exports, and the server's side of a download.

`webapp.export` makes the files, in the store's process: see `ExportService` there.
"""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any

from webapp.errors import ExportsBusyError, StoreError
from webapp.store.client import Store
from webapp.store.requests import EXPORTS, in_lane, only_reads, takes_long


class Exports(ABC):
    """The exports that are running. Any thread may call it."""

    @in_lane(EXPORTS)
    @takes_long
    @abstractmethod
    def open_export(self, code: str, about: Mapping[str, Any], form: str) -> str | None:
        """Begin an export of a room; returns its id, or None while too many are running.

        `form` is `csv` or `parquet`, `about` goes into `room.json`.
        """

    @in_lane(EXPORTS)
    @takes_long
    @abstractmethod
    def read_export(self, export_id: str) -> bytes | None:
        """The next piece of a ZIP file, or None after the last.

        Raises:
            StoreError: there is no such export (any more).
        """

    @in_lane(EXPORTS)
    @only_reads
    @abstractmethod
    def close_export(self, export_id: str) -> None:
        """Abort an export, or forget one that ended."""


class Download:
    """A running export; a WSGI server iterates over it, and closes it however the transfer ends.

    One thread at a time may use it. The first piece is fetched at once, so that a failure can still be
    answered with a status.

    Raises:
        ExportsBusyError: as many exports as allowed are running.
        StoreError: now, or while pieces are fetched.
    """

    def __init__(self, store: Store, code: str, about: Mapping[str, Any], form: str) -> None:
        self._store = store
        export_id = store.call(Exports.open_export, code, about, form)
        if export_id is None:
            raise ExportsBusyError(
                "Other exports are running, and only a few can at once. Try again in a moment."
            )
        self._export_id = export_id
        try:
            self._next = self._fetch()
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        piece = self._next
        if piece is None:
            raise StopIteration
        self._next = self._fetch()
        return piece

    def close(self) -> None:
        """Free the export's slot."""
        with contextlib.suppress(StoreError):  # then the store has closed it already
            self._store.call(Exports.close_export, self._export_id)

    def _fetch(self) -> bytes | None:
        return self._store.call(Exports.read_export, self._export_id)
