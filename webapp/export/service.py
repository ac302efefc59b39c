"""The exports of the store's process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import NullPool

from webapp.export.export_slots import ExportSlots
from webapp.export.zip import write_export
from webapp.store.database import open_database
from webapp.store.exports import Exports
from webapp.store.repositories.base import Database


class ExportService(Exports):
    """Makes the exports of rooms, piece by piece as they are fetched.

    Any thread may call it. Exports have connections of their own: one never takes a join's.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._engine = open_database(database.url, NullPool)
        self._slots = ExportSlots()

    def open_export(self, code: str, about: Mapping[str, Any], form: str) -> str | None:
        """See `Exports`.

        No export begins while the write-ahead log waits for running ones to end: it could wait forever.
        """
        if self._database.wal.is_pending and len(self._slots):
            return None
        return self._slots.open(code, write_export(self._engine, code, about, form))

    def read_export(self, export_id: str) -> bytes | None:
        """See `Exports`."""
        return self._slots.read(export_id)

    def close_export(self, export_id: str) -> None:
        """See `Exports`."""
        self._slots.close(export_id)

    def close_room(self, code: str) -> None:
        """Abort all exports of a room."""
        self._slots.close_room(code)

    def close(self) -> None:
        """Abort all exports."""
        self._slots.close_all()
        self._engine.dispose()
