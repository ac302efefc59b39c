"""Changes to eventlet's websockets, all for the sake of the event loop that all clients share.

Unmasking: a browser masks all that it sends (RFC 6455, section 5.3): byte i of a payload is XORed with byte
i mod 4 of the frame's mask. eventlet 0.41 does this a byte at a time in Python, 8 to 10 ms for a 40 kB
picture; here numpy does it, and `make bench` shows both.

Reading: eventlet asks the system for every part of a frame's head, and switches threads where a part is not
there yet. Here whatever has arrived is read at once.

Limits: eventlet reads on without a pause while data keep coming, joins fragments without end, and waits for
the rest of a message for ever. Here a connection has a `Budget`, other connections have their turns, and a
message is limited in size and time.

Compression: eventlet agrees to permessage-deflate, and a browser then deflates pictures that are JPEGs
already, for the server to inflate. It is refused here.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from typing import Any

import eventlet
import eventlet.websocket
import numpy as np
from eventlet.websocket import FailedConnectionError, RFC6455WebSocket, WebSocketWSGI

from webapp.server.connection_limits import MAX_TEXT_BYTES, Budget, OverBudgetError, message_units

MASK_LENGTH = 4

READ_BYTES = 1 << 16
MAX_READ_BYTES = 1 << 18

UNITS_PER_TURN = 16.0
"""After messages of this cost other connections have their turn: after a millisecond of small ones."""

TEXT = 1
"""The opcode of text messages (RFC 6455, section 5.2)."""

FRAGMENT_BYTES = 64
"""What a fragment takes besides its payload."""

MESSAGE_TIMEOUT_S = 60.0

POLICY_VIOLATION, TOO_BIG = 1008, 1009
"""Status codes of RFC 6455, section 7.4.1."""


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
            size = min(max(count, READ_BYTES), MAX_READ_BYTES)
            self._arrived, self._given = self._connection.recv(size), 0
        piece = self._arrived[self._given : self._given + count]
        self._given += len(piece)
        return piece

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a socket has
        return getattr(self._connection, name)


class LimitedMessage(RFC6455WebSocket.Message):  # type: ignore[misc]
    """A message that fails when its fragments grow too large together, or take too long."""

    def __init__(self, opcode: int, max_frame_length: int, **decoding: object) -> None:
        super().__init__(opcode, max_frame_length, **decoding)
        self.length = 0
        self._limit = min(MAX_TEXT_BYTES, max_frame_length) if opcode == TEXT else max_frame_length
        self._deadline_s = time.monotonic() + MESSAGE_TIMEOUT_S
        self._pieces = 0

    def push(self, data: bytes, final: bool = False) -> None:
        """Add a piece of the payload.

        Raises:
            FailedConnectionError: the message is too large, or not whole in time.
        """
        super().push(data, final)
        self.length += len(data)
        self._pieces += 1
        if max(self.length, self._pieces * FRAGMENT_BYTES) > self._limit:
            raise FailedConnectionError(TOO_BIG, f"Messages have at most {self._limit:,} bytes.")
        if time.monotonic() > self._deadline_s:
            raise FailedConnectionError(POLICY_VIOLATION, "The message took too long.")


class QuickWebSocket(RFC6455WebSocket):  # type: ignore[misc]
    """The websocket of a connection, with the changes above."""

    _apply_mask = staticmethod(apply_mask)
    Message = LimitedMessage

    def __init__(self, connection: socket.socket, *arguments: object, **options: object) -> None:
        super().__init__(ReadAhead(connection), *arguments, **options)
        self.budget = Budget()
        self._units_of_turn = 0.0

    def _recv_frame(self, message: LimitedMessage | None = None) -> LimitedMessage:
        before = message.length if message else 0
        received: LimitedMessage = super()._recv_frame(message=message)
        length = received.length - (before if received is message else 0)
        self._pay(message_units(length, received.opcode == TEXT))
        return received

    def _pay(self, units: float) -> None:
        """Charge the budget for a frame; wait where it is spent, or where others have waited for long."""
        self._units_of_turn += units
        self.budget.charge(units)
        try:
            wait_s = self.budget.wait_s()
        except OverBudgetError:
            raise FailedConnectionError(POLICY_VIOLATION, "Too many messages; send fewer a second.") from None
        if wait_s or self._units_of_turn >= UNITS_PER_TURN:
            self._units_of_turn = 0.0
            eventlet.sleep(wait_s)


def install() -> None:
    """Change every websocket that this process opens from now on."""
    eventlet.websocket.RFC6455WebSocket = QuickWebSocket
    WebSocketWSGI._negotiate_permessage_deflate = _refuse_compression


def _refuse_compression(protocol: WebSocketWSGI, extensions: object) -> None:
    return None
