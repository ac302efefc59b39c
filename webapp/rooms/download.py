"""The server's side of an export: a room's ZIP file, fetched from the store piece by piece."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from webapp.errors import ExportsBusyError, StoreError
from webapp.store.client import Store
from webapp.store.repositories import Archive


class Download:
    """An export that is under way; a WSGI server iterates over it, and closes it however the transfer ends.

    The first piece is fetched at once, so that what fails can still be answered with a status.

    Raises:
        ExportsBusyError: as many exports as may be are under way.
        StoreError: now, or while pieces are fetched.
    """

    def __init__(self, store: Store, code: str, about: dict[str, Any], form: str) -> None:
        self._store = store
        export_id = store.call(Archive.open_export, code, about, form)
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
        """Give the slot back."""
        with contextlib.suppress(StoreError):  # then the store has let go of it
            self._store.call(Archive.close_export, self._export_id)

    def _fetch(self) -> bytes | None:
        return self._store.call(Archive.read_export, self._export_id)
