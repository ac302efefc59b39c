"""Crowds of connections that cost a server places rather than work: idle ones, slow ones, ever new ones.

Each is an attack for `tests.helpers.attacks.attacking_by`, of a size that is chosen:

    with attacking_by(FLOODS["idle connections"].of(2000), target, "idle"):
"""

from __future__ import annotations

import contextlib
import resource
import selectors
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.synchronize import Event

from tests.helpers.attacks import Attack, Target, in_threads
from tests.helpers.load_client import PONG

PER_ADDRESS = 250
"""Fewer than one address may have, so that idle connections are held and not refused."""

SPARE_DESCRIPTORS = 64

TRICKLE_S = 1.0
"""A slow client sends a byte this often: as little as keeps a naive server waiting."""

THREADS = 4

RESET_AT_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: no port of this machine stays behind, as the live clients need some too."""

Sized = Callable[[int, Target, Event, Event], None]


@dataclass(frozen=True, slots=True)
class Flood:
    """A crowd of `full` connections, or a fraction of that in a short run."""

    full: int
    run: Sized

    def of(self, fraction: float) -> Attack:
        """The attack with this fraction of the connections."""
        return partial(self.run, max(1, round(fraction * self.full)))


def idle_connections(count: int, target: Target, under_way: Event, stop: Event) -> None:
    """Hold connections from several addresses; half are silent, half are Socket.IO's and answer pings."""
    _allow_descriptors(count)
    selector = selectors.DefaultSelector()
    for number in range(count):
        holder = replace(target, address=f"127.0.2.{1 + number // PER_ADDRESS}")
        opened = _opened(holder.connect if number % 2 else holder.websocket)
        if opened is not None:
            selector.register(opened, selectors.EVENT_READ)
        _answer_pings(selector, 0.0)
    under_way.set()
    while not stop.is_set():
        _answer_pings(selector, 0.2)


def slow_heads(count: int, target: Target, under_way: Event, stop: Event) -> None:
    """Slow loris: send the heads of requests a byte a second, and begin anew where the server gives up."""
    _allow_descriptors(count)
    begun: list[socket.socket | None] = [None] * count
    while not stop.is_set():
        for number, connection in enumerate(begun):
            if connection is None or not _trickled(connection):
                begun[number] = _opened(lambda: _begin_head(target))
        under_way.set()
        stop.wait(TRICKLE_S)


def new_connections(count: int, target: Target, under_way: Event, stop: Event) -> None:
    """Open connections and reset them, `count` at a time, as fast as it goes."""
    _open_all(target.connect, count, under_way, stop)


def new_sessions(count: int, target: Target, under_way: Event, stop: Event) -> None:
    """Open Socket.IO connections and leave them, `count` at a time, as fast as it goes."""
    _open_all(target.websocket, count, under_way, stop)


FLOODS = {
    "idle connections": Flood(2000, idle_connections),
    "slow-loris clients": Flood(200, slow_heads),
    "connections opened from one address": Flood(80, new_connections),
    "Socket.IO connections opened from one address": Flood(40, new_sessions),
}


def _open_all(open_one: Callable[[], socket.socket], count: int, under_way: Event, stop: Event) -> None:
    def open_and_reset() -> None:
        while not stop.is_set():
            opened = [_opened(open_one) for _ in range(count // THREADS)]
            for connection in filter(None, opened):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
                connection.close()
            under_way.set()

    in_threads(open_and_reset, THREADS)


def _allow_descriptors(count: int) -> None:
    """Let this process have so many sockets."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + SPARE_DESCRIPTORS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _opened(open_one: Callable[[], socket.socket]) -> socket.socket | None:
    with contextlib.suppress(OSError):
        return open_one()
    return None


def _answer_pings(selector: selectors.BaseSelector, wait_s: float) -> None:
    """Read what has arrived, for so long; a ping is a websocket frame with the text 2."""
    end_s = time.monotonic() + wait_s
    while events := selector.select(max(0.0, end_s - time.monotonic())):
        for key, _ in events:
            connection = key.fileobj
            assert isinstance(connection, socket.socket)
            said = b""
            with contextlib.suppress(OSError):
                said = connection.recv(1 << 14)
                if said.endswith(b"\x81\x012"):
                    connection.sendall(PONG)
            if not said:
                selector.unregister(connection)
                connection.close()


def _begin_head(target: Target) -> socket.socket:
    connection = target.connect()
    connection.sendall(target.request("/")[:-2] + b"X-Slow: ")
    return connection


def _trickled(connection: socket.socket) -> bool:
    """Send one more byte; False where the server has ended the connection."""
    connection.setblocking(False)
    try:
        connection.send(b"x")
        if connection.recv(1 << 12):
            return True
    except BlockingIOError:
        return True
    except OSError:
        pass
    connection.close()
    return False
