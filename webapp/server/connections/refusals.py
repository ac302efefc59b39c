"""What clients are told that a limit refuses before their request reaches the application."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus

from webapp.codec import PROBLEM_MEDIA_TYPE, problem_details
from webapp.server.connections.connection_limits import Handshakes

TOLD_PER_S = 20
"""Connections that are told why they are refused, in total: to tell costs time, and with TLS a handshake."""

TELL_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a limit's clients get: `limit` is its name in the metrics, `retry_s` when to try again."""

    limit: str
    code: str
    http_status: HTTPStatus
    message: str
    retry_s: int

    @property
    def status(self) -> str:
        """The status line's text, such as `429 TOO MANY REQUESTS`."""
        return f"{self.http_status.value} {self.http_status.phrase.upper()}"

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The response's headers, without its length."""
        return [("Content-Type", PROBLEM_MEDIA_TYPE), ("Retry-After", str(self.retry_s))]

    @property
    def body(self) -> bytes:
        """The problem, in JSON."""
        return json.dumps(problem_details(self.http_status.value, self.code, self.message)).encode()

    @property
    def response(self) -> bytes:
        """All of an HTTP/1.1 response, after which the connection ends."""
        headers = [*self.headers, ("Content-Length", str(len(self.body))), ("Connection", "close")]
        lines = [f"HTTP/1.1 {self.status}", *(f"{name}: {value}" for name, value in headers), "", ""]
        return "\r\n".join(lines).encode() + self.body


TOO_MANY_MESSAGES = Refusal(
    "messages",
    "too_many_messages",
    HTTPStatus.TOO_MANY_REQUESTS,
    "Too many messages; send fewer per second.",
    5,
)

TOO_SLOW = Refusal(
    "slow requests", "too_slow", HTTPStatus.REQUEST_TIMEOUT, "The request did not arrive in time.", 1
)

_ALL = (
    TOO_MANY_MESSAGES,
    TOO_SLOW,
    Refusal(
        "connections",
        "too_many_connections",
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The server has as many connections as it can take; try again in a few seconds.",
        5,
    ),
    Refusal(
        "connections of an address",
        "too_many_connections",
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Your address has too many connections to this server; close some, or try again later.",
        5,
    ),
    Refusal(
        "handshakes",
        "too_many_connections",
        HTTPStatus.TOO_MANY_REQUESTS,
        "Your address opens too many connections at once; try again in a second.",
        1,
    ),
)

REFUSALS = {one.limit: one for one in _ALL}
"""By the name of the limit."""


class RefusedConnections:
    """Tells new connections why there is no room for them, as many as time allows; the others just end."""

    def __init__(self) -> None:
        self._told = Handshakes(TOLD_PER_S, TOLD_PER_S)

    def tell(self, connection: socket.socket, limit: str) -> None:
        """Send the response for a limit and wait until the client has it; the caller closes after that."""
        if self._told.take("all"):
            with contextlib.suppress(OSError, ValueError):
                tell(connection, REFUSALS[limit])


def tell(connection: socket.socket, refusal: Refusal) -> None:
    """Send a refusal, and read until the client ends: what is closed unread resets the connection.

    Raises:
        OSError: the client is gone, or takes too long.
    """
    connection.settimeout(TELL_TIMEOUT_S)
    connection.sendall(refusal.response)
    connection.shutdown(socket.SHUT_WR)
    for _ in _received_until(connection, time.monotonic() + TELL_TIMEOUT_S):
        pass


def _received_until(connection: socket.socket, end_s: float) -> Iterator[bytes]:
    while time.monotonic() < end_s and (piece := connection.recv(1 << 14)):
        yield piece
