"""Changes to eventlet's websockets, all to protect the event loop that all clients share.

Unmasking: a browser masks all that it sends (RFC 6455, section 5.3): byte i of a payload is XORed with byte
i mod 4 of the frame's mask. eventlet 0.41 does this a byte at a time in Python, 6 to 10 ms for a 40 kB
image; here numpy does it, and `make bench` shows both.

Reading: eventlet makes a system call for every part of a frame's header, and switches threads if a part has
not arrived yet. Here whatever has arrived is read at once.

Limits: eventlet reads without a pause while data keep coming, joins any number of fragments, and waits
indefinitely for the rest of a message. Here a connection has a `Budget`, other connections get their turns,
and a message is limited in size and time. A client that sends nothing while it is held back, as it waits for
answers, is slowed; one that keeps sending is closed in the end.

Compression: eventlet accepts permessage-deflate, and a browser then deflates JPEGs, which are compressed
already, for the server to inflate. It is refused here.

Old protocols: eventlet also speaks the drafts before RFC 6455, without any of this. They are refused here.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import eventlet
import eventlet.websocket
import numpy as np
from eventlet.websocket import (
    BadRequest,
    ConnectionClosedError,
    FailedConnectionError,
    RFC6455WebSocket,
    WebSocketWSGI,
)

from webapp.config.limits import Limits
from webapp.metrics import count_refusal
from webapp.server.connections.arrivals import has_arrived
from webapp.server.connections.connection_limits import MAX_TEXT_BYTES, Budget, OverBudgetError

MASK_LENGTH = 4

SHORT_BYTES = 256
"""Up to this length one large integer is XORed faster (0.8 us for 80 bytes) than numpy arrays (1.9 us)."""

READ_BYTES = 1 << 16
MAX_READ_BYTES = 1 << 18

UNITS_PER_TURN = 16.0
"""After messages of this cost other connections get their turn: after a millisecond of small ones."""

TEXT = 1
"""The opcode of text messages (RFC 6455, section 5.2)."""

FRAGMENT_BYTES = 64
"""The memory that a fragment takes besides its payload."""

NO_TEXT, POLICY_VIOLATION, TOO_BIG = 1007, 1008, 1009
"""Status codes of RFC 6455, section 7.4.1."""

REFUSED = (POLICY_VIOLATION, TOO_BIG)

LINGER_S, LINGER_STEP_S = 1.0, 0.05
"""How long a client that is refused something may take to close, and how often it is read meanwhile."""


def apply_mask(data: bytes, mask: Sequence[int], length: int | None = None, offset: int = 0) -> bytes:
    """XOR the first `length` bytes of `data` with `mask`, whose phase is advanced by `offset` bytes.

    Returns what `RFC6455WebSocket._apply_mask` of eventlet gives, for every argument.
    """
    length = len(data) if length is None else length
    first = offset % MASK_LENGTH
    key = bytes((*mask[first:], *mask[:first])) * (length // MASK_LENGTH + 1)
    if length <= SHORT_BYTES:
        number = int.from_bytes(data[:length], "little") ^ int.from_bytes(key[:length], "little")
        return number.to_bytes(length, "little")
    masked = np.frombuffer(data, np.uint8, length)
    return np.bitwise_xor(masked, np.frombuffer(key, np.uint8, length)).tobytes()


class ReadAhead:
    """A socket that reads all that has arrived, and returns it in the requested pieces; for one thread."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._arrived = b""
        self._given = 0

    def recv(self, count: int) -> bytes:
        """Up to `count` bytes; none if the connection is closed."""
        if self._given == len(self._arrived):
            size = min(max(count, READ_BYTES), MAX_READ_BYTES)
            self._arrived, self._given = self._connection.recv(size), 0
        piece = self._arrived[self._given : self._given + count]
        self._given += len(piece)
        return piece

    @property
    def is_empty(self) -> bool:
        """Whether all that has arrived by now was read."""
        return self._given == len(self._arrived) and not has_arrived(self._connection)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a socket has
        return getattr(self._connection, name)


class LimitedMessage(RFC6455WebSocket.Message):  # type: ignore[misc]
    """A message that fails if its fragments become too large together, or take too long."""

    def __init__(
        self,
        opcode: int,
        max_frame_length: int,
        decoder: object = None,
        decompressor: object = None,
        *,
        timeout_s: float = float(Limits().body_timeout_s),
    ) -> None:
        super().__init__(opcode, max_frame_length, decoder, decompressor)
        self.length = 0
        self._limit = max_frame_length
        if opcode == TEXT and max_frame_length > MAX_TEXT_BYTES:
            self._limit = MAX_TEXT_BYTES
        self._deadline_s = time.monotonic() + timeout_s

    def push(self, data: bytes, final: bool = False) -> None:
        """Add a piece of the payload.

        Raises:
            FailedConnectionError: the message is too large, or not complete in time.
        """
        self.finished = final
        self.data.append(data)
        self.length += len(data)
        if self.length > self._limit or len(self.data) > 1:
            self._check_pieces()

    def _check_pieces(self) -> None:
        if max(self.length, len(self.data) * FRAGMENT_BYTES) > self._limit:
            count_refusal("large messages")
            raise FailedConnectionError(TOO_BIG, f"Messages have at most {self._limit:,} bytes.")
        if time.monotonic() > self._deadline_s:
            count_refusal("slow messages")
            raise FailedConnectionError(POLICY_VIOLATION, "The message took too long.")


class WholeTextDecoder:
    """Decodes the text of a complete message at once; eventlet makes an incremental decoder for each."""

    def decode(self, data: bytes, final: bool = True) -> str:
        """The text.

        Raises:
            FailedConnectionError: it is not UTF-8.
        """
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise FailedConnectionError(NO_TEXT, "Text must be UTF-8.") from None


class QuickWebSocket(RFC6455WebSocket):  # type: ignore[misc]
    """The websocket of a connection, with the changes above; one thread reads it.

    Whoever opens it may give it another `budget` before the first message is read.
    """

    _apply_mask = staticmethod(apply_mask)
    Message = LimitedMessage
    UTF8Decoder = WholeTextDecoder

    def __init__(self, connection: socket.socket, *arguments: object, **options: object) -> None:
        super().__init__(ReadAhead(connection), *arguments, **options)
        self.budget = Budget()
        self._units_of_turn = 0.0

    def _get_bytes(self, numbytes: int) -> bytes:
        """A few bytes of a frame's header, most of which arrive together."""
        if self.budget.is_over and self.socket.is_empty:
            self.budget.caught_up()
        data: bytes = self.socket.recv(numbytes)
        if 0 < len(data) < numbytes:
            data += super()._get_bytes(numbytes - len(data))
        if not data:
            raise ConnectionClosedError
        return data

    def _recv_frame(self, message: LimitedMessage | None = None) -> LimitedMessage:
        before = message.length if message else 0
        received: LimitedMessage = super()._recv_frame(message=message)
        length = received.length - before if received is message else received.length
        budget = self.budget
        self._units_of_turn += budget.charge_message(length, received.opcode == TEXT)
        if self._units_of_turn >= UNITS_PER_TURN or budget.balance < 0:
            self._yield_turn()
        return received

    def close(self, close_data: tuple[int, str] | None = None) -> None:
        """Close the connection; a client that is refused something has time to read why."""
        if close_data is not None and close_data[0] in REFUSED and close_data[1]:
            self._send_closing_frame(ignore_send_errors=True, close_data=close_data)
            with contextlib.suppress(OSError):
                self.socket.shutdown(socket.SHUT_WR)
                self._linger()
        super().close(close_data)

    def _linger(self) -> None:
        """Read until the client closes, but slowly: what is closed unread resets the connection."""
        end_s = time.monotonic() + LINGER_S
        while time.monotonic() < end_s:
            eventlet.sleep(LINGER_STEP_S)
            if has_arrived(self.socket) and not self.socket.recv(MAX_READ_BYTES):
                return

    def _yield_turn(self) -> None:
        """Let other connections run, at least until this connection has paid off its debt."""
        self._units_of_turn = 0.0
        try:
            eventlet.sleep(self.budget.wait_s())
        except OverBudgetError:
            count_refusal("messages")
            raise FailedConnectionError(
                POLICY_VIOLATION, "Too many messages; send fewer per second."
            ) from None


def install(limits: Limits) -> None:
    """Apply the changes to every websocket that this process opens from now on."""
    QuickWebSocket.Message = partial(LimitedMessage, timeout_s=limits.body_timeout_s)  # type: ignore[assignment]
    eventlet.websocket.RFC6455WebSocket = QuickWebSocket
    WebSocketWSGI._negotiate_permessage_deflate = _refuse_compression
    WebSocketWSGI._handle_legacy_request = _refuse_drafts


def _refuse_compression(protocol: WebSocketWSGI, extensions: object) -> None:
    return None


def _refuse_drafts(protocol: WebSocketWSGI, environ: object) -> None:
    raise BadRequest
