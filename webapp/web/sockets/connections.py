"""The open Socket.IO connections, as those who send them something see them."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from typing import Any

from flask_socketio import SocketIO

from webapp.codec import problem
from webapp.errors import NotHereError

NOT_HERE = "not_here"
"""The event that tells a connection to connect again: another node serves its room by then."""

LEAVE_S = 1.0
"""A page takes that long to leave by itself; what is still there then is cut off, and connects again."""

logger = logging.getLogger(__name__)


class Connections:
    """Which connections are open, and of which room.

    Any thread may call it: each change is one step of a set or a dictionary.
    """

    def __init__(self, socketio: SocketIO) -> None:
        self._socketio = socketio
        self._open: set[str] = set()
        self._rooms: dict[str, str] = {}

    def __contains__(self, connection: object) -> bool:
        return connection in self._open

    def __len__(self) -> int:
        return len(self._open)

    def opened(self, connection: str) -> None:
        """A browser connected."""
        self._open.add(connection)

    def closed(self, connection: str) -> None:
        """A browser is gone."""
        self._open.discard(connection)
        self._rooms.pop(connection, None)

    def belongs(self, connection: str, room: str) -> None:
        """A connection is a participant's of a room, or shows its board."""
        if room:
            self._rooms[connection] = room
        if connection not in self._open:
            self._rooms.pop(connection, None)

    def is_watched(self, room: str) -> bool:
        """Whether a room has connections."""
        return room in self._rooms.copy().values()

    def tell(self, connection: str, event: str, data: dict[str, Any]) -> None:
        """Send an event to one connection; nothing happens where it has ended."""
        self._socketio.emit(event, data, to=connection)

    def send_away(self, room: str) -> None:
        """Tell the connections of a room that another node serves it."""
        self._send_away([one for one, code in self._rooms.copy().items() if code == room])

    def send_all_away(self) -> None:
        """Tell all connections that this server ends."""
        self._send_away(self._open.copy())

    def _send_away(self, connections: Iterable[str]) -> None:
        leaving = list(connections)
        said = problem(NOT_HERE, str(NotHereError()))["problem"]
        for connection in leaving:
            self.tell(connection, NOT_HERE, said)
        if leaving:
            self._socketio.start_background_task(self._cut_off, leaving)

    def _cut_off(self, connections: list[str]) -> None:
        """End those that are still there without the packet after which clients would not come back."""
        time.sleep(LEAVE_S)
        server = self._socketio.server
        for connection in connections:
            engine_id = server.manager.eio_sid_from_sid(connection, "/") if connection in self._open else None
            if (socket := server.eio.sockets.get(engine_id)) is not None:
                logger.debug("a connection stayed; it is cut off")
                socket.end()
