"""The store's process: repositories and exports behind one link.

The server starts it as `python -m webapp.export.store_process FILE_DESCRIPTOR`; it ends when the link closes,
after its last request.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import socket
import sys

from webapp.errors import MienError
from webapp.export.service import ExportService
from webapp.ipc import framing
from webapp.store.exports import Exports
from webapp.store.repositories.accounts import AccountRepository
from webapp.store.repositories.audit import AuditRepository
from webapp.store.repositories.base import Database
from webapp.store.repositories.markers import MarkerRepository
from webapp.store.repositories.recordings import RecordingRepository
from webapp.store.repositories.rooms import RoomRepository
from webapp.store.service import Service

logger = logging.getLogger(__name__)


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


def main(file_descriptor: int) -> None:
    """Open the database that the first message names, and serve.

    Raises:
        SettingsError: its URL cannot be used.
    """
    end = socket.socket(fileno=file_descriptor)
    end.setblocking(True)
    first = framing.receive(end)
    if first is not None:
        with contextlib.closing(Repositories(first.payload.decode())) as repositories:
            framing.send(end, framing.Message(framing.READY_ID, b""))
            Service(end, repositories.by_name(), repositories.database.prepare).serve()


if __name__ == "__main__":
    logging.basicConfig(format="%(asctime)s %(levelname)s store %(process)d: %(message)s")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the closing link ends us
    try:
        with contextlib.suppress(ConnectionError):  # the server is gone
            main(int(sys.argv[1]))
    except (MienError, OSError) as failure:
        logger.error("the store cannot start: %s", failure)
        sys.exit(1)
