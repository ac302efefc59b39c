"""The messages between the server process and a worker, over one socketpair.

    0        4            12
    | length | request id | payload of `length` bytes |      big-endian, unsigned

A job's payload is the picture as the browser sent it; a reply's is a pickled `Analysis` or `FrameError` (the
two ends are our own processes, nobody else can write to the pair). Replies carry the id of their job, so
either side may be ahead of the other. A worker says that its models are loaded by a reply to READY_ID.
"""

from __future__ import annotations

import pickle
import socket
import struct
from typing import NamedTuple

from webapp.errors import FrameError
from webapp.messages import Analysis

HEADER = struct.Struct("!IQ")
READY_ID = 0
SOCKET_BUFFER_BYTES = 1 << 20

Outcome = Analysis | FrameError


class Message(NamedTuple):
    """One message of the link."""

    request_id: int
    payload: bytes


def send(link: socket.socket, message: Message) -> None:
    """Write one message; waits while the peer does not read.

    Raises:
        OSError: the peer is gone.
    """
    link.sendall(HEADER.pack(len(message.payload), message.request_id) + message.payload)


def receive(link: socket.socket) -> Message | None:
    """Read one message, or None where the peer closed its end (in the middle of a message too)."""
    header = _receive_exactly(link, HEADER.size)
    if header is None:
        return None
    length, request_id = HEADER.unpack(header)
    payload = _receive_exactly(link, length)
    return None if payload is None else Message(request_id, bytes(payload))


def pack_outcome(outcome: Outcome) -> bytes:
    """The payload of a reply."""
    return pickle.dumps(outcome, protocol=pickle.HIGHEST_PROTOCOL)


def unpack_outcome(payload: bytes) -> Outcome:
    """The reverse of `pack_outcome`."""
    outcome: Outcome = pickle.loads(payload)
    return outcome


def _receive_exactly(link: socket.socket, length: int) -> bytearray | None:
    data = bytearray(length)
    view = memoryview(data)
    while view:
        received = link.recv_into(view)
        if received == 0:
            return None
        view = view[received:]
    return data
