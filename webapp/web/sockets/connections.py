"""The open Socket.IO connections, as those who send them something see them."""

from __future__ import annotations

from typing import Any

from flask_socketio import SocketIO


class Connections:
    """Which connections are open. Any thread may call it: each change is one step of a set."""

    def __init__(self, socketio: SocketIO) -> None:
        self._socketio = socketio
        self._open: set[str] = set()

    def __contains__(self, connection: object) -> bool:
        return connection in self._open

    def opened(self, connection: str) -> None:
        """A browser connected."""
        self._open.add(connection)

    def closed(self, connection: str) -> None:
        """A browser is gone."""
        self._open.discard(connection)

    def tell(self, connection: str, event: str, data: dict[str, Any]) -> None:
        """Send an event to one connection; nothing happens where it has ended."""
        self._socketio.emit(event, data, to=connection)
