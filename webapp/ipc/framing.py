"""The framing of messages between the server process and a child process, over one socketpair.

    0        4            12
    | length | request id | payload of `length` bytes |      big-endian, unsigned

A reply carries the id of its request, so either side may be ahead of the other. A child reports ready with an
empty reply to READY_ID. `job_codec` defines the payloads of vision workers, `store.requests` those of the
store.
"""

from __future__ import annotations

import socket
import struct
from typing import NamedTuple

from webapp.errors import LinkError

HEADER = struct.Struct("!IQ")
READY_ID = 0
SOCKET_BUFFER_BYTES = 1 << 20
MAX_PAYLOAD_BYTES = (1 << 32) - 1
"""The largest value of the length field."""


class Message(NamedTuple):
    """One message."""

    request_id: int
    payload: bytes


def send(link: socket.socket, message: Message) -> None:
    """Write one message; blocks while the peer does not read.

    Raises:
        OSError: the peer is gone.
    """
    link.sendall(HEADER.pack(len(message.payload), message.request_id) + message.payload)


def receive(link: socket.socket, max_bytes: int = MAX_PAYLOAD_BYTES) -> Message | None:
    """Read one message, or None if the peer closed its end (even in the middle of a message).

    Raises:
        OSError: the connection broke.
        LinkError: the message announces more than `max_bytes`; its payload is not read.
    """
    header = _receive_exactly(link, HEADER.size)
    if header is None:
        return None
    length, request_id = HEADER.unpack(header)
    if length > max_bytes:
        raise LinkError(f"A message of {length:,} bytes was announced; at most {max_bytes:,} are accepted.")
    payload = _receive_exactly(link, length)
    return None if payload is None else Message(request_id, bytes(payload))


def _receive_exactly(link: socket.socket, length: int) -> bytearray | None:
    data = bytearray(length)
    view = memoryview(data)
    while view:
        received = link.recv_into(view)
        if received == 0:
            return None
        view = view[received:]
    return data
