"""Socket.IO and Engine.IO, hardened against clients that send too much, read too little or send nonsense.

The libraries check little of what clients send: any number of attachments is collected, every event gets a
green thread of its own, reserved event names reach their handlers, what a client does not read is queued
without end, and every packet that cannot be read is a traceback in the log. Here

- a packet is checked when it is decoded; one that cannot be read costs its connection `BAD_PACKET_UNITS`,
- only a frame has an attachment, and one,
- a connection has one websocket, a `Budget`, by either transport, and at most MAX_HANDLERS events under way;
  beyond them it is read no further,
- a connection that leaves `unread_mb` unread is closed.
"""

from __future__ import annotations

import logging
import socket as sockets
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import engineio
import engineio.packet
import engineio.payload
import engineio.socket
import socketio
from engineio import exceptions
from socketio import packet

from webapp.codec import problem
from webapp.config.limits import Limits
from webapp.metrics import count_refusal
from webapp.server.connections.connection_limits import (
    BAD_PACKET_UNITS,
    MAX_TEXT_BYTES,
    Budget,
    Handshakes,
    OverBudgetError,
    Prices,
    network_of,
)
from webapp.server.connections.refusals import REFUSALS, TOO_MANY_MESSAGES, Refusal

FRAME = "frame"
"""The only event with an attachment."""

RESERVED_EVENTS = frozenset(
    {"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener", "*"}
)
"""Names that only the libraries themselves may use."""

MAX_HANDLERS = 8

MAX_POST_BYTES = 4_000_000
"""Of the polling transport, where an image of 2 MB is 2.7 MB of base64."""

PACKET_BYTES = 512
"""What a packet in the queue takes besides its payload."""

REFUSAL_PAUSE_S = 1.0
"""A connection is refused after this time, so that who tries again at once costs little."""

UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, RecursionError)
"""What the libraries' decoders raise on packets that nobody should send."""

logger = logging.getLogger(__name__)


class BadPacketError(ValueError):
    """A client sent what is no packet, or one that it may not send."""


class OverBudgetPostError(exceptions.EngineIOError):  # type: ignore[misc]  # python-engineio is untyped
    """A connection of the polling transport stayed over its budget."""


class CheckedPacket(packet.Packet):  # type: ignore[misc]  # python-socketio is untyped
    """A Socket.IO packet, checked when it is decoded."""

    def decode(self, encoded_packet: object) -> int:
        """Read a packet; the number of attachments that it announces.

        Raises:
            BadPacketError: its type does not go with its data, or it is too large.
            ValueError: it is not a packet.
        """
        if not isinstance(encoded_packet, str):
            raise BadPacketError("binary data that no event announced")
        if len(encoded_packet) > MAX_TEXT_BYTES:
            raise BadPacketError(f"{len(encoded_packet):,} characters, at most {MAX_TEXT_BYTES:,} are taken")
        attachments: int = super().decode(encoded_packet)
        if self.packet_type in (packet.EVENT, packet.BINARY_EVENT) and not self._is_event():
            raise BadPacketError("an event is a list that begins with its name")
        if self.packet_type == packet.ACK and not isinstance(self.data, list):
            raise BadPacketError("an acknowledgement is a list")
        if attachments and self.packet_type != packet.BINARY_EVENT:
            raise BadPacketError("only events have attachments")
        return attachments

    def _is_event(self) -> bool:
        return isinstance(self.data, list) and bool(self.data) and isinstance(self.data[0], str)


class LimitedSocket(engineio.socket.Socket):  # type: ignore[misc]  # python-engineio is untyped
    """An Engine.IO connection with a budget and a bounded queue of packets to send."""

    def __init__(self, server: LimitedEngine, sid: str) -> None:
        super().__init__(server, sid)
        self.budget = Budget(server.prices)
        self.handlers = threading.Semaphore(MAX_HANDLERS)
        self.joined = False
        self.attachments_to_skip = 0
        self._opened_s = time.monotonic()
        self._websocket: Any = None
        self._queued_bytes = self._bytes_in_hand = 0
        self._posts = 0

    def send(self, pkt: engineio.packet.Packet) -> None:
        """Queue a packet; a client that leaves too much unread is disconnected instead."""
        if self._queued_bytes > self.server.limits.unread_mb << 20:
            self._give_up()
            return
        self._queued_bytes += _size(pkt)
        super().send(pkt)

    def poll(self) -> list[engineio.packet.Packet]:
        """Wait for packets to send; those of the last call have been sent by now."""
        self._queued_bytes -= self._bytes_in_hand
        self._bytes_in_hand = 0
        packets: list[engineio.packet.Packet] = super().poll()
        self._bytes_in_hand = sum(map(_size, packets))
        return packets

    def check_ping_timeout(self) -> bool:
        """Close a connection that does not answer pings, or that never connected to the namespace."""
        unused_s = 0.0 if self.joined else time.monotonic() - self._opened_s
        if unused_s > self.server.limits.head_timeout_s and not self.closing:
            count_refusal("unused connections")
            self.end()
            return False
        alive: bool = super().check_ping_timeout()
        return alive

    def handle_post_request(self, environ: dict[str, Any]) -> None:
        """Take packets of the polling transport; the response is late where the budget is spent.

        Raises:
            EngineIOError: they are too long or cannot be read, or the connection stayed over its budget.
        """
        if not self._posts:
            self.budget.caught_up()  # the client waited for the last answer
        self._posts += 1
        try:
            self._take_post(environ)
        except exceptions.EngineIOError:
            self.end()  # here, as the server itself would wait until the client has read all
            raise
        finally:
            self._posts -= 1

    def _take_post(self, environ: dict[str, Any]) -> None:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if length > MAX_POST_BYTES:
            raise exceptions.ContentTooLongError
        self.budget.charge_message(length, text=True)
        self._wait_for_budget()
        try:
            for pkt in _packets(environ["wsgi.input"].read(length)):
                self.receive(pkt)
        except (OSError, *UNREADABLE) as error:
            logger.warning("packets could not be read: %s", _described(error))
            raise exceptions.EngineIOError from error

    def receive(self, pkt: engineio.packet.Packet) -> None:
        """Take one packet."""
        if not self.upgraded:
            self.budget.charge_message(0)
        super().receive(pkt)

    def _wait_for_budget(self) -> None:
        try:
            self.server.sleep(self.budget.wait_s())
        except OverBudgetError:
            count_refusal(TOO_MANY_MESSAGES.limit)
            raise OverBudgetPostError from None

    def _websocket_handler(self, ws: Any) -> list[bytes]:  # noqa: ANN401 - eventlet's
        if self._websocket is not None:
            logger.info("a connection that has a websocket asked for another; it is refused")
            return []
        self._websocket, ws.budget = ws, self.budget
        try:
            super()._websocket_handler(ws)
        except (OSError, *UNREADABLE) as error:  # the libraries leave the connection half open then
            logger.info("a connection ended: %s", _described(error))
            self.end()
        if not self.upgraded:  # the upgrade failed; polling goes on
            self._websocket = None
        return []

    def _give_up(self) -> None:
        if self.closing:
            return
        logger.warning("a client does not read what it is sent; its connection ends")
        count_refusal("unread messages")
        # In a thread of its own: whoever sends may hold a lock that handlers of `disconnect` need.
        self.server.start_background_task(self.end)

    def end(self) -> None:
        """Close without waiting for a client that may not read."""
        self.close(wait=False, abort=True, reason=self.server.reason.TRANSPORT_ERROR)
        self.server.sockets.pop(self.sid, None)
        if self._websocket is not None:
            try:
                self._websocket.socket.shutdown(sockets.SHUT_RDWR)
            except OSError as error:
                logger.debug("a connection had ended already: %s", error)


class LimitedEngine(engineio.Server):  # type: ignore[misc]
    """An Engine.IO server with limits, which says what it refuses."""

    limits = Limits()
    prices = Prices.of(limits)

    def _unauthorized(self, message: str | None = None) -> dict[str, Any]:
        """The response where `connect` refused: here, always for a limit, whose name it returned."""
        return _response(REFUSALS[message or "connections"])

    def _bad_request(self, message: str | None = None) -> dict[str, Any]:
        """The response to a request that cannot be taken; the base class does not pass on why."""
        if isinstance(sys.exception(), OverBudgetPostError):
            return _response(TOO_MANY_MESSAGES)
        response: dict[str, Any] = super()._bad_request(message)
        return response


class LimitedServer(socketio.Server):  # type: ignore[misc]
    """A Socket.IO server with the limits above."""

    def __init__(self, *arguments: Any, limits: Limits, **options: Any) -> None:  # noqa: ANN401
        super().__init__(*arguments, serializer=CheckedPacket, **options)
        self.eio.limits, self.eio.prices = limits, Prices.of(limits)
        self._handshakes = Handshakes.of_sockets(limits)
        self._connections_per_address = limits.connections_per_address

    def _engineio_server_class(self) -> type:
        return LimitedEngine

    def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> str | None:
        """Let a connection in; or the name of the limit that refuses it."""
        address = network_of(environ.get("REMOTE_ADDR", ""))
        environ["mien.network"] = address
        if (limit := self._limit_reached(address)) is not None:
            count_refusal(limit)
            self.sleep(REFUSAL_PAUSE_S)
            return limit
        super()._handle_eio_connect(eio_sid, environ)
        return None

    def _limit_reached(self, address: str) -> str | None:
        # Those that ended without a word are here until their ping times out.
        others = sum(other.get("mien.network") == address for other in self.environ.values())
        if others >= self._connections_per_address and not self._evict_one_of(address):
            return "connections of an address"
        return None if self._handshakes.take(address) else "handshakes"

    def _evict_one_of(self, address: str) -> bool:
        """End the oldest connection of an address that never connected to the namespace, if there is one."""
        of_address = [sid for sid, environ in self.environ.items() if environ.get("mien.network") == address]
        for eio_sid in of_address:
            connection = self.eio.sockets.get(eio_sid)
            if connection is None or not connection.joined:
                self.environ.pop(eio_sid, None)
                if connection is not None:
                    connection.end()
                return True
        return False

    def _handle_connect(self, eio_sid: str, namespace: str | None, data: object) -> None:
        connection = self._connection(eio_sid)
        connection.budget.charge(connection.budget.prices.event)
        if connection.joined:
            raise BadPacketError("one connection connects to the namespace once")
        connection.joined = True
        super()._handle_connect(eio_sid, namespace, data)

    def _handle_disconnect(self, eio_sid: str, namespace: str | None, reason: str | None = None) -> None:
        """Leave the namespace, and so end the connection: it could not be used for anything else."""
        super()._handle_disconnect(eio_sid, namespace, reason)
        if namespace in (None, "/"):
            self.start_background_task(self._connection(eio_sid).end)

    def _handle_eio_message(self, eio_sid: str, data: str | bytes) -> None:
        connection = self._connection(eio_sid)
        if isinstance(data, bytes) and connection.attachments_to_skip:
            connection.attachments_to_skip -= 1
            return
        connection.attachments_to_skip = 0
        if isinstance(data, str) and eio_sid in self._binary_packet:
            self._refuse_packet(eio_sid, BadPacketError("an attachment was announced; got text"))
        try:
            super()._handle_eio_message(eio_sid, data)
            if eio_sid in self._binary_packet:
                self._check_attachments(eio_sid, connection)
        except UNREADABLE as error:
            self._refuse_packet(eio_sid, error)

    def _refuse_packet(self, eio_sid: str, error: Exception) -> None:
        """Forget what a connection sent last; what it sends next counts."""
        self._binary_packet.pop(eio_sid, None)
        self._connection(eio_sid).budget.charge(BAD_PACKET_UNITS)
        count_refusal("packets")
        logger.warning("a packet could not be read: %s", _described(error))

    def _check_attachments(self, eio_sid: str, connection: LimitedSocket) -> None:
        """Refuse an event at once that announces more attachments than one, or is no frame."""
        announced = self._binary_packet[eio_sid]
        count = announced.attachment_count
        if announced.data[0] == FRAME and count == 1:
            return
        del self._binary_packet[eio_sid]
        connection.budget.charge(BAD_PACKET_UNITS)
        connection.attachments_to_skip = count
        if announced.id is not None:
            message = f"An event has one binary part if it is a frame, else none; got {count}."
            answer = [problem("bad_frame" if announced.data[0] == FRAME else "bad_request", message)]
            self._send_packet(
                eio_sid,
                self.packet_class(packet.ACK, data=answer, namespace=announced.namespace, id=announced.id),
            )

    def _handle_event(self, eio_sid: str, namespace: str | None, id: int | None, data: list[Any]) -> None:
        connection = self._connection(eio_sid)
        namespace = namespace or "/"
        sid = self.manager.sid_from_eio_sid(eio_sid, namespace)
        prices = connection.budget.prices
        connection.budget.charge(prices.frame if data[0] == FRAME else prices.event)
        if data[0] in RESERVED_EVENTS or not self.manager.is_connected(sid, namespace):
            return
        connection.handlers.acquire()  # where too many are under way, this connection is read no further
        self.start_background_task(
            self._handle_and_release, connection.handlers.release, sid, eio_sid, data, namespace, id
        )

    def _handle_and_release(self, release: Callable[[], None], *event: object) -> None:
        try:
            self._handle_event_internal(self, *event)
        finally:
            release()

    def _connection(self, eio_sid: str) -> LimitedSocket:
        connection: LimitedSocket = self.eio.sockets[eio_sid]
        return connection


def install() -> None:
    """Have the libraries make every server and connection of this process from now on with these limits."""
    engineio.socket.Socket = LimitedSocket
    socketio.Server = LimitedServer


def _packets(body: bytes) -> list[engineio.packet.Packet]:
    """The packets in what a client of the polling transport posted."""
    if body.startswith(b"d="):
        raise BadPacketError("JSONP, which this version of the protocol does not have")
    packets: list[engineio.packet.Packet] = engineio.payload.Payload(encoded_payload=body.decode()).packets
    return packets


def _response(refusal: Refusal) -> dict[str, Any]:
    """A refusal as python-engineio answers."""
    return {"status": refusal.status, "headers": refusal.headers, "response": refusal.body}


def _size(pkt: engineio.packet.Packet) -> int:
    return PACKET_BYTES + (len(pkt.data) if isinstance(pkt.data, str | bytes) else 0)


def _described(error: Exception) -> str:
    """An error in one short line."""
    return f"{type(error).__name__}: {error}"[:200].replace("\n", " ")
