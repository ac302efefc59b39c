"""The messages between the server process and a worker, over one socketpair.

    0        4            12
    | length | request id | payload of `length` bytes |      big-endian, unsigned

A job's payload says where to look and ends with the picture as the browser sent it (see `pack_job`); a
reply's is a pickled `Analysis` or `FrameError` (the two ends are our own processes, nobody else can write to
the pair). Replies carry the id of their job, so either side may be ahead of the other. A worker says that its
models are loaded by a reply to READY_ID.
"""

from __future__ import annotations

import pickle
import socket
import struct
from typing import NamedTuple

from webapp.errors import FrameError
from webapp.protocol import Analysis, Job, Region

HEADER = struct.Struct("!IQ")
JOB = struct.Struct("!?iB")
REGION = struct.Struct("!4d")
READY_ID = 0
NO_TILE = -1
MAX_REGIONS = 255
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


def pack_job(job: Job) -> bytes:
    """The payload of a job: whether to detect, the tile, the regions and their number, the picture.

    Of more than MAX_REGIONS regions the last are left out.
    """
    regions = job.regions[:MAX_REGIONS]
    tile = NO_TILE if job.tile is None else job.tile
    header = JOB.pack(job.detect, tile, len(regions))
    return b"".join([header, *(REGION.pack(*region) for region in regions), job.image])


def unpack_job(payload: bytes) -> Job:
    """The reverse of `pack_job`."""
    detect, tile, count = JOB.unpack_from(payload)
    image_at = JOB.size + count * REGION.size
    regions = tuple(map(Region._make, REGION.iter_unpack(payload[JOB.size : image_at])))
    return Job(payload[image_at:], regions, detect, None if tile == NO_TILE else tile)


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
