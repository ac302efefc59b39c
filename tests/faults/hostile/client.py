"""A hostile client: fires shots over a connection, and says what the server did that it may not do."""

from __future__ import annotations

import contextlib
import json
import random
import socket
import struct
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException

from tests.faults.hostile.frames import CLOSE, binary, text
from tests.faults.hostile.shots import Effect, Shot
from tests.faults.hostile.values import value
from tests.helpers.attacks import Target
from tests.helpers.load_client import message_end, problem_code

TIMEOUT_S = 60.0
"""Generous: on a busy machine a frame waits for its turn, and the watchdog takes three seconds."""

CANARY = 10**12
"""Added to a shot's number: the id of a wrong frame, whose answer shows that the connection works."""

INTERNAL = ("its log says why", "the server's log says why")
"""What messages say of errors that nobody foresaw."""

RECEIVE_BYTES = 1 << 16

OK = 200


class ClosedError(ConnectionError):
    """The server ended the connection."""


class Client:
    """One connection of a hostile client, perhaps in a room; one thread uses it."""

    def __init__(self, target: Target, chance: random.Random, in_room: bool) -> None:
        self._target, self._chance = target, chance
        self._socket = target.websocket()
        self._socket.settimeout(TIMEOUT_S)
        self._unread = bytearray()
        if in_room:
            self._socket.sendall(text(b'420["join",{"room":"%b","consent":true}]' % target.room.encode()))
            self._answer_to(0)

    def close(self) -> None:
        """End the connection, with or without a word."""
        if self._chance.random() < 0.5:
            with contextlib.suppress(OSError):
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def fire(self, shot: Shot) -> str:
        """Fire a shot; the code of the problem it got, or what else came of it.

        Raises:
            ClosedError: the server ended the connection, which it may only do for some shots.
            TimeoutError: it did not answer.
        """
        match shot.effect:
            case Effect.ANSWERED:
                return self._ask(shot.data, shot.number)
            case Effect.IGNORED:
                return self._fire_and_ask(shot)
            case Effect.MAY_CLOSE:
                with contextlib.suppress(ClosedError):
                    return self._fire_and_ask(shot)
                return "closed"
            case Effect.BROKEN_OFF:
                self._socket.sendall(shot.data)
                return "broken off"
            case Effect.POSTED:
                return self._post(shot.data)
            case Effect.UPLOADED:
                return self._upload(shot.data)

    def _fire_and_ask(self, shot: Shot) -> str:
        canary = CANARY + shot.number
        event = b'451-%d["frame",0,{"_placeholder":true,"num":0}]' % canary
        code = self._ask(shot.data + text(event) + binary(b"x"), canary)
        if code != "bad_frame":
            raise ClosedError(f"a wrong frame was answered with {code}")
        return "ignored"

    def _ask(self, data: bytes, number: int) -> str:
        try:
            self._socket.sendall(data)
        except TimeoutError:
            raise
        except OSError as error:
            raise ClosedError(str(error)) from None
        return self._answer_to(number)

    def _answer_to(self, number: int) -> str:
        """The code of the problem in an acknowledgement, or "result"."""
        end_s = time.monotonic() + TIMEOUT_S
        for message in self._messages(end_s):
            if message.startswith(b"43%d[" % number):
                return _checked(message)
            self._reply(message)
        raise TimeoutError("there was no answer in time")

    def _reply(self, message: bytes) -> None:
        """Answer what the server asks: pings rightly, clocks with anything."""
        if message == b"2":
            self._socket.sendall(text(b"3"))
        elif message.startswith(b"42") and message.endswith(b'["clock"]'):
            self._socket.sendall(text(b"43%b[%b]" % (message[2:-9], value(self._chance).encode())))

    def _messages(self, end_s: float) -> Iterator[bytes]:
        """The payloads that arrive until a time.

        Raises:
            ClosedError: the server ended the connection.
        """
        while time.monotonic() < end_s:
            while (found := message_end(self._unread)) is not None:
                opcode, message = self._unread[0] & 0xF, bytes(self._unread[slice(*found)])
                del self._unread[: found[1]]
                if opcode == CLOSE:
                    raise ClosedError(f"the server closed with {message!r}")
                yield message
            self._receive()

    def _receive(self) -> None:
        try:
            received = self._socket.recv(RECEIVE_BYTES)
        except TimeoutError:
            raise
        except OSError as error:
            raise ClosedError(str(error)) from None
        if not received:
            raise ClosedError("the server closed without a word")
        self._unread += received

    def _post(self, body: bytes) -> str:
        path = "/socket.io/?EIO=4&transport=polling"
        status, opened = self._request("GET", path)
        if status != OK:
            return f"HTTP {status}"
        session = json.loads(opened[1:])["sid"]
        status, _ = self._request("POST", f"{path}&sid={session}", body)
        return f"HTTP {status}"

    def _upload(self, image: bytes) -> str:
        head = b'--x\r\nContent-Disposition: form-data; name="image"; filename="x"\r\n\r\n'
        status, answer = self._request(
            "POST",
            "/api/v1/analyze",
            head + image + b"\r\n--x--\r\n",
            {"Content-Type": "multipart/form-data; boundary=x"},
        )
        if any(words in answer for words in INTERNAL):
            return "internal"
        return f"HTTP {status}"

    def _request(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, str]:
        connection = HTTPConnection(
            "127.0.0.1", self._target.port, timeout=TIMEOUT_S, source_address=(self._target.address, 0)
        )
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, response.read().decode(errors="replace")
        except HTTPException as error:
            raise ClosedError(f"{method} {path}: {error!r}") from None
        finally:
            connection.close()


def _checked(message: bytes) -> str:
    """The code of the problem in an acknowledgement; "internal" for errors that nobody foresaw."""
    json.loads(message[message.index(b"[") :], parse_constant=_no_json)
    if any(words.encode() in message for words in INTERNAL):
        return "internal"
    return problem_code(message) or "result"


def _no_json(constant: str) -> None:
    raise ValueError(f"an answer has {constant}, which is no JSON")
