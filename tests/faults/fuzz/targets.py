"""What is fuzzed: each target reads bytes of anyone's, and fails on all that the code under it may not do.

The errors that the code announces are no failures; any other is, and so is a result that breaks a promise.
"""

from __future__ import annotations

import contextlib
import json
import math
import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import eventlet

from webapp.analysis.tracker import Tracker
from webapp.codec import encode_result, problem_to_wire
from webapp.errors import BadFrameError, BadRequestError, FrameError, LinkError, TooLargeError
from webapp.ipc import framing
from webapp.ipc.job_codec import pack_outcome, unpack_outcome
from webapp.protocol import (
    MAX_IMAGE_PIXELS,
    MAX_SIDE,
    STAGES,
    Analysis,
    Frame,
    ImageLimits,
    Result,
    finite_number,
    seq_of,
)
from webapp.rooms.readiness import Readiness
from webapp.server.connections.connection_limits import MAX_TEXT_BYTES
from webapp.server.socketio_server import UNREADABLE, CheckedPacket
from webapp.server.websocket import QuickWebSocket
from webapp.vision.decode import decode
from webapp.vision.headers import read_size

Target = Callable[[bytes], None]

LIMITS = ImageLimits(200_000, 300_000)
"""Smaller than those of the server, so that a second has more inputs."""

MAX_PAYLOAD_BYTES = 1 << 16
MAX_MESSAGE_BYTES = 1 << 18


def headers(data: bytes) -> None:
    """The size of an image is read, or the image is refused."""
    with contextlib.suppress(BadFrameError):
        size = read_size(data)
        assert size.width > 0 and size.height > 0


def image(data: bytes) -> None:
    """What is decoded has the size that its header says, and fits in the limits."""
    try:
        decoded = decode(data, limits=LIMITS)
    except (BadFrameError, TooLargeError):
        return
    size = read_size(data)
    assert sorted((decoded.width, decoded.height)) == sorted(size)
    assert decoded.width * decoded.height <= min(LIMITS.max_pixels, MAX_IMAGE_PIXELS)
    assert max(size) <= MAX_SIDE
    assert decoded.pixels.shape == (decoded.height, decoded.width, 3)


def link(data: bytes) -> None:
    """Messages between processes: whole ones arrive as they were sent, and nothing else does."""
    here, there = socket.socketpair()
    with here, there:
        here.settimeout(5.0)
        here.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        here.sendall(data[: 1 << 17])
        here.shutdown(socket.SHUT_WR)
        read = b""
        with contextlib.suppress(LinkError):
            while (message := framing.receive(there, MAX_PAYLOAD_BYTES)) is not None:
                assert len(message.payload) <= MAX_PAYLOAD_BYTES
                read += framing.HEADER.pack(len(message.payload), message.request_id) + message.payload
        assert data.startswith(read)


def reply(data: bytes) -> None:
    """The reply of a worker that somebody took over: it is refused, or makes a result that is JSON."""
    try:
        outcome = unpack_outcome(data)
    except LinkError:
        return
    if isinstance(outcome, FrameError):
        json.loads(json.dumps(problem_to_wire(1, outcome)))
        return
    assert unpack_outcome(pack_outcome(outcome)) == outcome
    # The numbers in landmarks are not checked, on purpose; see `job_codec`.
    plain = replace(outcome, faces=tuple(replace(face, landmarks="{}") for face in outcome.faces))
    _check_results(plain)


def _check_results(analysis: Analysis) -> None:
    tracker = Tracker(0.5)
    for now_s in (1.0, 1.1):
        faces = tracker.update(analysis.faces, now_s, analysis.width)
        tracker.regions(now_s)
        timing_ms = {**dict.fromkeys(STAGES, 0.0), **analysis.timing_ms}
        result = Result(1, analysis.width, analysis.height, faces, timing_ms)
        json.loads(encode_result(result), parse_constant=_not_json)


def _not_json(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


_ENDED, _peer = socket.socketpair()
_peer.close()


class _Arrived:
    """A connection on which data have arrived, and which is closed then."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def recv(self, count: int) -> bytes:
        piece, self._data = self._data[:count], self._data[count:]
        return piece

    def fileno(self) -> int:
        return _ENDED.fileno()  # it can be read without waiting

    def sendall(self, data: bytes) -> None:
        assert len(data) < 200

    def shutdown(self, how: int) -> None: ...

    def close(self) -> None: ...


def websocket(data: bytes) -> None:
    """Frames of a websocket: messages within the limits, or the end of the connection."""
    connection = cast(socket.socket, _Arrived(data))
    opened = QuickWebSocket(connection, {}, max_frame_length=MAX_MESSAGE_BYTES)
    sleep, eventlet.sleep = eventlet.sleep, lambda seconds: None
    try:
        while (message := opened.wait()) is not None:
            assert isinstance(message, str | bytes)
            assert len(message) <= min(MAX_MESSAGE_BYTES, MAX_TEXT_BYTES)
    finally:
        eventlet.sleep = sleep


def packet(data: bytes) -> None:
    """A Socket.IO packet, and what it says as a frame's meta and a room's readiness."""
    try:
        read = CheckedPacket(encoded_packet=data.decode(errors="replace") or "4")
    except UNREADABLE:
        return
    arguments = read.data[1:] if isinstance(read.data, list) else [read.data]
    for argument in arguments[:3]:
        _check_values(argument)


def _check_values(value: Any) -> None:  # noqa: ANN401 - whatever JSON has
    number = finite_number(value)
    assert number is None or math.isfinite(number)
    try:
        frame = Frame.from_wire(value, b"image")
        assert frame.seq == seq_of(value) and math.isfinite(frame.captured_ms)
        json.loads(encode_result(Result(frame.seq, 1, 1, (), dict.fromkeys(STAGES, 0.0))))
    except (BadFrameError, TooLargeError) as problem:
        answer = json.dumps(problem_to_wire(seq_of(value), problem))
        assert len(answer) < 10_000
    with contextlib.suppress(BadRequestError):
        assert isinstance(Readiness.from_wire(value).ready, bool)


TARGETS: dict[str, Target] = {
    target.__name__: target for target in (headers, image, link, reply, websocket, packet)
}
