"""What hostile clients do, each in a few lines of sockets; for `bench_attacks` and the tests.

An attack runs in a process of its own until it is stopped, see `attacking`. It says when it is under way, so
that what others get is measured meanwhile.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from pathlib import Path

import cv2
import numpy as np
import requests

from tests.helpers.load_client import BINARY, TEXT, websocket_frame
from tests.helpers.serving import PROJECT_ROOT, START_TIMEOUT_S, Server

PING, PONG = 0x89, 0x8A
FIRST_FRAGMENT, NEXT_FRAGMENT = 0x02, 0x00

SOCKETS = 4
SEND_TIMEOUT_S = 2.0
FORM_TOKEN = re.compile(r'csrf_token" value="([^"]+)"')
BURST_BYTES = 1 << 16
UNDER_WAY_TIMEOUT_S = 90.0
END_TIMEOUT_S = 0.5


class LoggedServer(Server):
    """A server whose log is a file."""

    def __init__(self, log: Path, **settings: str) -> None:
        super().__init__(**settings)
        self.log = log

    def start(self) -> None:
        """Start the process and wait until it is ready."""
        with self.log.open("ab") as file:
            self.process = subprocess.Popen(
                [sys.executable, "wsgi.py"], cwd=PROJECT_ROOT, env=os.environ | self.settings, stderr=file
            )
        self.wait_until_ready(START_TIMEOUT_S)


@dataclass(frozen=True, slots=True)
class Target:
    """Whom an attack is for: the port, and the room that it may join.

    The attacker has an `address` of this machine, such as 127.0.0.2; Linux has them all. Attackers give up
    soon; who is none may have a longer `timeout_s`.
    """

    port: int
    room: str
    address: str = "127.0.0.1"
    timeout_s: float = SEND_TIMEOUT_S

    def connect(self) -> socket.socket:
        """A connection that says nothing yet."""
        source = None if self.address == "127.0.0.1" else (self.address, 0)  # which could take a free port
        return socket.create_connection(
            ("127.0.0.1", self.port), timeout=self.timeout_s, source_address=source
        )

    def request(self, path: str) -> bytes:
        """A GET request."""
        return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n\r\n".encode()

    def websocket(self, join: bool = True) -> socket.socket:
        """A websocket, which has connected to the namespace with `join`."""
        connection = self.connect()
        try:
            self._shake_hands(connection, join)
        except OSError:
            connection.close()
            raise
        return connection

    def _shake_hands(self, connection: socket.socket, join: bool) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        connection.sendall(
            (
                "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"
                f"Host: 127.0.0.1:{self.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
            ).encode()
        )
        read_until(connection, b'"sid"')
        if join:
            connection.sendall(websocket_frame(TEXT, b"40"))
            read_until(connection, b"40{")


def read_until(connection: socket.socket, mark: bytes) -> None:
    """Read what the server says, up to and with a mark."""
    said = b""
    while mark not in said:
        said += (piece := connection.recv(1 << 16))
        if not piece:
            raise ConnectionError(f"the server said {said[:200]!r}")


Attack = Callable[[Target, Event, Event], None]
"""Attacks a target, sets the first event when it is under way, and ends soon after the second is set."""

ATTACKS: dict[str, tuple[int, Attack]] = {}
"""The point of the list of faults, and the attack, by name."""


def attack(point: int, name: str) -> Callable[[Attack], Attack]:
    """Register an attack."""

    def register(function: Attack) -> Attack:
        ATTACKS[name] = point, function
        return function

    return register


def attacking(name: str, target: Target) -> AbstractContextManager[None]:
    """Attack from another process while the block runs."""
    return attacking_by(ATTACKS[name][1], target, name)


@contextmanager
def attacking_by(attack: Attack, target: Target, name: str) -> Iterator[None]:
    """Let a function of a module attack from another process while the block runs."""
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])  # so that only the first attack waits for the imports
    under_way, stop = context.Event(), context.Event()
    process = context.Process(target=_attack, args=(attack, target, under_way, stop), daemon=True)
    process.start()
    assert under_way.wait(UNDER_WAY_TIMEOUT_S), f"{name} did not begin"
    try:
        yield
    finally:
        stop.set()
        process.join(END_TIMEOUT_S)
        process.kill()
        process.join()


def _attack(attack: Attack, target: Target, under_way: Event, stop: Event) -> None:
    os.nice(5)  # what counts is what the server does, not what it costs to attack it
    attack(target, under_way, stop)


def flood(
    data: bytes,
    target: Target,
    under_way: Event,
    stop: Event,
    reading: bool = True,
    pause_s: float = 0.0,
    open_one: Callable[[], socket.socket] | None = None,
) -> None:
    """Send the same again and again over several connections; one that is closed is opened anew."""

    def send() -> None:
        while not stop.is_set():
            with contextlib.suppress(OSError), (open_one or target.websocket)() as connection:
                if reading:
                    threading.Thread(target=_read_all, args=(connection,), daemon=True).start()
                while not stop.is_set():
                    connection.sendall(data)
                    under_way.set()
                    time.sleep(pause_s)
            under_way.set()
            time.sleep(0.05)

    in_threads(send, SOCKETS)


def _read_all(connection: socket.socket) -> None:
    with contextlib.suppress(OSError, ValueError):
        while True:
            try:
                if not connection.recv(1 << 18):
                    return
            except TimeoutError:
                continue


def in_threads(function: Callable[[], None], count: int) -> None:
    threads = [threading.Thread(target=function, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def many(frame: bytes) -> bytes:
    """So many of a small frame as one call may send."""
    return frame * (BURST_BYTES // len(frame))


def frame_event(image: bytes, number: int = 0) -> bytes:
    """A frame, as a browser sends it."""
    event = b'451-%d["frame",{"seq":%d,"captured_ms":1},{"_placeholder":true,"num":0}]' % (number, number)
    return websocket_frame(TEXT, event) + websocket_frame(BINARY, image)


def hidden_header_jpeg(width: int = 20_000, height: int = 20_000) -> bytes:
    """A small JPEG with two headers: of 64 x 64 pixels, and before it, where libjpeg reads, a large one.

    `FF 00` is no marker: libjpeg skips it and reads on at the next; who takes it for a segment skips what
    the two bytes after it say.
    """
    plain = cv2.imencode(".jpg", np.full((16, 16, 3), 128, np.uint8))[1].tobytes()
    segments, at = [], 2
    while plain[at + 1] != 0xDA:
        end = at + 2 + struct.unpack_from(">H", plain, at + 2)[0]
        segments.append(plain[at:end])
        at = end
    scan = plain[at : at + 2 + struct.unpack_from(">H", plain, at + 2)[0]]
    frame = next(segment for segment in segments if segment[1] == 0xC0)
    tables = b"".join(segment for segment in segments if segment[1] in (0xDB, 0xC4))
    hidden = tables + _sized(frame, width, height) + scan + plain[-6:-2]
    head = b"\xff\xd8\xff\x00" + struct.pack(">H", 2 + len(hidden))
    return head + hidden + _sized(frame, 64, 64) + scan + bytes(8) + b"\xff\xd9"


def _sized(frame_header: bytes, width: int, height: int) -> bytes:
    return frame_header[:5] + struct.pack(">HH", height, width) + frame_header[9:]


@attack(1, "hidden JPEG headers")
def hidden_headers(target: Target, under_way: Event, stop: Event) -> None:
    flood(frame_event(hidden_header_jpeg()), target, under_way, stop, pause_s=0.25)


@attack(2, "websocket pings")
def pings(target: Target, under_way: Event, stop: Event) -> None:
    flood(many(websocket_frame(PING, b"")), target, under_way, stop)


@attack(2, "websocket pongs")
def pongs(target: Target, under_way: Event, stop: Event) -> None:
    flood(many(websocket_frame(PONG, b"")), target, under_way, stop)


@attack(2, "Engine.IO noops")
def noops(target: Target, under_way: Event, stop: Event) -> None:
    flood(many(websocket_frame(TEXT, b"6")), target, under_way, stop)


@attack(2, "20,000 joins in one burst")
def joins(target: Target, under_way: Event, stop: Event) -> None:
    wrong = websocket_frame(TEXT, b'420["join",{"room":"WRONG234","consent":true}]')
    flood(wrong * 20_000, target, under_way, stop)


@attack(2, "pipelined HTTP requests")
def pipelining(target: Target, under_way: Event, stop: Event) -> None:
    flood(many(target.request("/healthz")), target, under_way, stop, open_one=target.connect)


def hold(open_one: Callable[[], object], count: int, under_way: Event, stop: Event) -> None:
    """Hold so many connections."""
    held = []
    for _ in range(count):
        with contextlib.suppress(OSError):
            held.append(open_one())
    under_way.set()
    stop.wait()


@attack(3, "1,200 silent connections")
def silence(target: Target, under_way: Event, stop: Event) -> None:
    hold(target.connect, 1200, under_way, stop)


@attack(3, "1,200 unfinished heads")
def unfinished_heads(target: Target, under_way: Event, stop: Event) -> None:
    def begin() -> socket.socket:
        connection = target.connect()
        connection.sendall(target.request("/")[:-2])
        return connection

    hold(begin, 1200, under_way, stop)


@attack(3, "200 slow bodies")
def slow_bodies(target: Target, under_way: Event, stop: Event) -> None:
    head = target.request("/api/v1/analyze").replace(b"GET", b"POST", 1)[:-2]
    head += b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 100000\r\n\r\n--x\r\n"

    def begin() -> socket.socket:
        connection = target.connect()
        connection.sendall(head)
        return connection

    hold(begin, 200, under_way, stop)


@attack(3, "sessions that never poll")
def unpolled_sessions(target: Target, under_way: Event, stop: Event) -> None:
    request = target.request("/socket.io/?EIO=4&transport=polling")
    flood(many(request), target, under_way, stop, open_one=target.connect)


def small_jpeg(size: int = 640) -> bytes:
    """An image without a face."""
    return cv2.imencode(".jpg", np.full((size, size, 3), 128, np.uint8))[1].tobytes()


@attack(19, "connect events between frames")
def connects(target: Target, under_way: Event, stop: Event) -> None:
    step = websocket_frame(TEXT, b'42["connect",{}]') + frame_event(small_jpeg())
    flood(step, target, under_way, stop, pause_s=0.002)


@attack(19, "parallel uploads")
def uploads(target: Target, under_way: Event, stop: Event) -> None:
    image = small_jpeg(1280)

    def upload() -> None:
        with requests.Session() as session:
            while not stop.is_set():
                with contextlib.suppress(requests.RequestException):
                    url = f"http://127.0.0.1:{target.port}/api/v1/analyze"
                    session.post(url, files={"image": image}, timeout=SEND_TIMEOUT_S)
                under_way.set()

    in_threads(upload, 16)


@attack(20, "unfinished fragments")
def fragments(target: Target, under_way: Event, stop: Event) -> None:
    piece = bytes(8_000_000)
    connection = target.websocket()
    with contextlib.suppress(OSError):
        connection.sendall(websocket_frame(FIRST_FRAGMENT, piece))
        under_way.set()
        while not stop.is_set():
            connection.sendall(websocket_frame(NEXT_FRAGMENT, piece))
    under_way.set()
    stop.wait()


@attack(20, "announced attachments")
def attachments(target: Target, under_way: Event, stop: Event) -> None:
    connection = target.websocket()
    part = websocket_frame(BINARY, bytes(8_000_000))
    with contextlib.suppress(OSError):
        connection.sendall(websocket_frame(TEXT, b'4599999-["frame",{"_placeholder":true,"num":0}]'))
        under_way.set()
        while not stop.is_set():
            connection.sendall(part)
    stop.wait()


@attack(20, "answers that are never read")
def unread_answers(target: Target, under_way: Event, stop: Event) -> None:
    meta = json.dumps({"seq": 1, "captured_ms": 1.0, "filler": "x" * 10}).encode()
    event = websocket_frame(TEXT, b'420["frame",%b,1]' % meta)
    flood(many(event), target, under_way, stop, reading=False)


@attack(21, "parallel logins")
def logins(target: Target, under_way: Event, stop: Event) -> None:
    def guess() -> None:
        session, page = requests.Session(), f"http://127.0.0.1:{target.port}/host"
        while not stop.is_set():
            with contextlib.suppress(requests.RequestException):
                token = FORM_TOKEN.search(session.get(page, timeout=SEND_TIMEOUT_S).text)
                form = {
                    "name": "Ada",
                    "password": os.urandom(8).hex(),
                    "csrf_token": token[1] if token else "",
                }
                session.post(f"{page}/login", data=form, timeout=SEND_TIMEOUT_S)
            under_way.set()

    in_threads(guess, 20)


@attack(21, "joining and quitting")
def churn(target: Target, under_way: Event, stop: Event) -> None:
    join = f'420["join",{{"room":"{target.room}","consent":true}}]'.encode()
    turn = websocket_frame(TEXT, join) + websocket_frame(TEXT, b'421["leave",{}]')
    flood(turn * 20, target, under_way, stop, pause_s=0.05)


@attack(22, "packets that cannot be read")
def nonsense(target: Target, under_way: Event, stop: Event) -> None:
    flood(many(websocket_frame(TEXT, b"42[1,")), target, under_way, stop)
