"""The store's process: repositories and exports behind one link.

The server starts it as `python -m webapp.export.store_process FILE_DESCRIPTOR`; it ends when the link closes,
after its last request.
"""

from __future__ import annotations

import contextlib
import socket

from webapp.export.service import ExportService
from webapp.ipc import framing
from webapp.store.exports import Exports
from webapp.store.repositories.accounts import AccountRepository
from webapp.store.repositories.audit import AuditRepository
from webapp.store.repositories.base import Database
from webapp.store.repositories.markers import MarkerRepository
from webapp.store.repositories.recordings import RecordingRepository
from webapp.store.repositories.rooms import RoomRepository
from webapp.store.service import Service, run_process


class Repositories:
    """All that the store can be asked, on one database; any thread may use it.

    Raises:
        SettingsError: the database's URL cannot be used.
    """

    def __init__(self, url: str) -> None:
        self.database = Database(url)
        self.exports = ExportService(self.database)
        self.rooms = RoomRepository(self.database, on_deletion=self.exports.close_room)
        self.recordings = RecordingRepository(self.database)
        self.markers = MarkerRepository(self.database)
        self.accounts = AccountRepository(self.database)
        self.audit = AuditRepository(self.database)

    def by_name(self) -> dict[str, object]:
        """The repositories by the names that requests carry."""
        return {
            RoomRepository.__name__: self.rooms,
            RecordingRepository.__name__: self.recordings,
            MarkerRepository.__name__: self.markers,
            AccountRepository.__name__: self.accounts,
            AuditRepository.__name__: self.audit,
            Exports.__name__: self.exports,
        }

    def close(self) -> None:
        """Abort all exports and close the database."""
        self.exports.close()
        self.database.close()


def serve(end: socket.socket, url: str) -> None:
    """Open a database, and answer what the server asks of it.

    Raises:
        SettingsError: its URL cannot be used.
    """
    with contextlib.closing(Repositories(url)) as repositories:
        framing.send(end, framing.Message(framing.READY_ID, b""))
        Service(end, repositories.by_name(), repositories.database.prepare).serve()


if __name__ == "__main__":
    run_process("store", serve)
