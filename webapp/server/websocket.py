"""Three changes to eventlet's websockets, all for the sake of the event loop that all clients share.

Unmasking: a browser masks all that it sends (RFC 6455, section 5.3): byte i of a payload is XORed with byte
i mod 4 of the frame's mask. eventlet 0.41 does this a byte at a time in Python, 8 to 10 ms for a 40 kB
picture; here numpy does it, and `make bench` shows both.

Reading: eventlet asks the system for every part of a frame's head, and switches threads where a part is not
there yet. Here whatever has arrived is read at once.

Compression: eventlet agrees to permessage-deflate, and a browser then deflates pictures that are JPEGs
already, for the server to inflate. It is refused here.

Only this module and `wsgi.py` know eventlet.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any

import eventlet.websocket
import numpy as np
from eventlet.websocket import RFC6455WebSocket, WebSocketWSGI

MASK_LENGTH = 4

READ_BYTES = 1 << 16


def apply_mask(data: bytes, mask: Sequence[int], length: int | None = None, offset: int = 0) -> bytes:
    """XOR the first `length` bytes of `data` with `mask`, whose phase is moved on by `offset` bytes.

    Gives what `RFC6455WebSocket._apply_mask` of eventlet gives, for every argument.
    """
    length = len(data) if length is None else length
    first = offset % MASK_LENGTH
    turned = bytes((*mask[first:], *mask[:first]))
    key = np.frombuffer(turned * (length // MASK_LENGTH + 1), dtype=np.uint8, count=length)
    return np.bitwise_xor(np.frombuffer(data, dtype=np.uint8, count=length), key).tobytes()


class ReadAhead:
    """A socket that reads what has arrived, and hands it out in the pieces that it is asked for."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._arrived = b""
        self._given = 0

    def recv(self, count: int) -> bytes:
        """Up to `count` bytes; none where the connection is closed."""
        if self._given == len(self._arrived):
            self._arrived, self._given = self._connection.recv(max(count, READ_BYTES)), 0
        piece = self._arrived[self._given : self._given + count]
        self._given += len(piece)
        return piece

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a socket has
        return getattr(self._connection, name)


class QuickWebSocket(RFC6455WebSocket):  # type: ignore[misc]
    """The websocket of a connection, with the changes above."""

    _apply_mask = staticmethod(apply_mask)

    def __init__(self, connection: socket.socket, *arguments: object, **options: object) -> None:
        super().__init__(ReadAhead(connection), *arguments, **options)


def install() -> None:
    """Change every websocket that this process opens from now on."""
    eventlet.websocket.RFC6455WebSocket = QuickWebSocket
    WebSocketWSGI._negotiate_permessage_deflate = _refuse_compression


def _refuse_compression(protocol: WebSocketWSGI, extensions: object) -> None:
    return None
