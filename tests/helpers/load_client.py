"""Many browsers in one cheap process: what they send is made beforehand, answers are hardly read.

The load runs on the same cores as the server, so it must cost next to nothing. On the wire, inside websocket
messages (RFC 6455; https://socket.io/docs/v4/engine-io-protocol, .../socket-io-protocol):

    us      40                              connect to the default namespace
    server  40{"sid": ...}
    us      451-7["frame",{meta},{"_placeholder":true,"num":0}]    event with one binary part; wants ack 7
    us      (binary) the JPEG
    server  437[{answer}]                   acknowledgement of 7
    server  2                               ping; we answer 3
    us      420["join",{...}]               in a room: the first thing, acknowledged like a frame
    server  429["clock"]                    in a room: event that wants ack 9; we answer 439[milliseconds]

Images are masked once, with a random key as a browser has it, so the server unmasks as it would.
"""

from __future__ import annotations

import json
import random
import selectors
import socket
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import websocket

from tests.helpers.processes import machine_s, processor_s

TEXT, BINARY = 0x81, 0x82
RECEIVE_BYTES = 1 << 18
REFUSED_PAUSE_S = 0.1
"""A browser that was told `busy` sends less for a while, as the page does."""

START_SPREAD_S = 0.1
"""In a closed loop the browsers begin within this time."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Which load to put on the server at `port`.

    With `rate_per_s` each browser sends so many frames a second, come what may (an open loop); without, each
    has always `under_way` frames under way (a closed loop). `watched` names the groups of processes whose
    processor time is measured. With `joining` browser N first joins a room, by the event with the data N.
    Answers to the last frames are waited for, `last_answers_s` at most.
    """

    port: int
    clients: int
    seconds: float
    rate_per_s: float | None = None
    under_way: int = 2
    warm_up_s: float = 1.5
    watched: dict[str, tuple[int, ...]] = field(default_factory=dict)
    joining: tuple[dict[str, Any], ...] = ()
    last_answers_s: float = 5.0


@dataclass(slots=True)
class Load:
    """What came of it within the measured seconds; `analysed` counts answers with a result, by client.

    `cores` is the processor time a second of each watched group, of this generator, and of all else on the
    machine, which should be next to nothing. `timings` are the ends of answers, with the server's own timing.
    `joined` are the answers to who joined, `captured_ms` the capture times of all analysed frames by client,
    those before and after the measured seconds too. Of the whole time, too, are `slowest_ms`, the longest
    wait for an answer of whatever kind, and how many frames got none and how many connections ended.
    """

    plan: Plan
    sent: int = 0
    analysed: list[int] = field(default_factory=list)
    faces: int = 0
    round_trips_ms: list[float] = field(default_factory=list)
    problems: Counter[str] = field(default_factory=Counter)
    cores: dict[str, float] = field(default_factory=dict)
    timings: list[bytes] = field(default_factory=list)
    joined: list[dict[str, Any]] = field(default_factory=list)
    captured_ms: list[list[float]] = field(default_factory=list)
    slowest_ms: float = 0.0
    unanswered: int = 0
    closed: int = 0


def simulate(plan: Plan, images: Sequence[bytes]) -> Load:
    """Put the load on the server and measure it.

    Raises:
        ConnectionError: a browser was not let in.
    """
    frames = [websocket_frame(BINARY, image) for image in images]
    try:
        with ExitStack() as connections:
            return _Generator(plan, frames, connections).run()
    except websocket.WebSocketException as error:  # some of these cannot be sent to another process
        raise ConnectionError(str(error)) from None


def websocket_frame(opcode: int, payload: bytes) -> bytes:
    """One masked websocket frame (RFC 6455, section 5.2)."""
    length = len(payload)
    if length < 126:
        head = bytes((opcode, 0x80 | length))
    elif length < 1 << 16:
        head = bytes((opcode, 0x80 | 126)) + length.to_bytes(2, "big")
    else:
        head = bytes((opcode, 0x80 | 127)) + length.to_bytes(8, "big")
    key = np.frombuffer(random.randbytes(4), np.uint8)
    masked = np.frombuffer(payload, np.uint8) ^ np.resize(key, length)
    return head + key.tobytes() + masked.tobytes()


PONG = websocket_frame(TEXT, b"3")


class _Browser:
    """One connection: sends frames, knows which it waits for. It is closed with the other `connections`."""

    def __init__(self, port: int, number: int, images: Sequence[bytes], connections: ExitStack) -> None:
        connection = websocket.create_connection(
            f"ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket", timeout=20
        )
        connections.callback(connection.shutdown)
        connection.recv()  # Engine.IO's handshake
        connection.send("40")
        connection.recv()
        assert isinstance(connection.sock, socket.socket)
        self.socket = connection.sock
        self.number = number
        self.due_s = 0.0
        self.paused_until_s = 0.0
        self.is_closed = False
        self.sent_s: dict[int, float] = {}
        self._seq = 0
        self._first = 17 * number  # everybody is elsewhere on the way round
        self._images = images
        self._unread = bytearray()

    def join(self, data: dict[str, Any]) -> dict[str, Any]:
        """Join a room; the server's answer."""
        self.socket.sendall(websocket_frame(TEXT, f'420["join",{json.dumps(data)}]'.encode()))
        while True:
            for message in self.receive():
                if message.startswith(b"430"):
                    (answer,) = json.loads(message[3:])
                    return dict(answer)
                self.reply(message)

    def reply(self, message: bytes) -> None:
        """Answer what the server asks of a browser."""
        if message == b"2":
            self.socket.sendall(PONG)
        elif message.startswith(b"42") and message.endswith(b'["clock"]'):
            now_ms = 1000 * time.perf_counter()
            self.socket.sendall(websocket_frame(TEXT, b"43%b[%.1f]" % (message[2:-9], now_ms)))

    def send(self, now_s: float) -> None:
        """Send the next frame."""
        meta = b'{"seq":%d,"captured_ms":%.1f}' % (self._seq, 1000 * now_s)
        event = b'451-%d["frame",%b,{"_placeholder":true,"num":0}]' % (self._seq, meta)
        image = self._images[(self._first + self._seq) % len(self._images)]
        self.sent_s[self._seq] = now_s
        self._seq += 1
        self.socket.sendall(websocket_frame(TEXT, event) + image)

    def receive(self) -> list[bytes]:
        """The payloads of the messages that are here.

        Raises:
            ConnectionError: the server has ended the connection.
        """
        received = self.socket.recv(RECEIVE_BYTES)
        if not received:
            raise ConnectionError("the server has ended the connection")
        self._unread += received
        messages = []
        while (end := message_end(self._unread)) is not None:
            start, stop = end
            messages.append(bytes(self._unread[start:stop]))
            del self._unread[:stop]
        return messages


def message_end(unread: bytearray) -> tuple[int, int] | None:
    """Where the payload of the first whole websocket frame begins and ends."""
    if len(unread) < 2:
        return None
    start, length = 2, unread[1]
    if length >= 126:
        start = 4 if length == 126 else 10
        length = int.from_bytes(unread[2:start], "big")
    return (start, start + length) if len(unread) >= max(start, start + length) else None


class _Generator:
    """All browsers, driven by one loop."""

    def __init__(self, plan: Plan, images: Sequence[bytes], connections: ExitStack) -> None:
        self._plan = plan
        self._load = Load(plan, analysed=[0] * plan.clients, captured_ms=[[] for _ in range(plan.clients)])
        self._browsers = [_Browser(plan.port, number, images, connections) for number in range(plan.clients)]
        self._selector = selectors.DefaultSelector()
        for browser in self._browsers:
            self._selector.register(browser.socket, selectors.EVENT_READ, browser)
        self._measured_from_s = 0.0
        for browser, data in zip(self._browsers, plan.joining, strict=bool(plan.joining)):
            self._load.joined.append(browser.join(data))

    def run(self) -> Load:
        start_s = time.perf_counter()
        self._spread(start_s)
        self._measured_from_s = start_s + self._plan.warm_up_s
        self._drive(self._measured_from_s)
        before = self._processor_s()
        self._drive(self._measured_from_s + self._plan.seconds)
        after = self._processor_s()
        self._load.cores = {name: (after[name] - before[name]) / self._plan.seconds for name in after}
        self._await_answers(time.perf_counter() + self._plan.last_answers_s)
        for browser in self._browsers:
            self._load.unanswered += len(browser.sent_s)
        return self._load

    def _spread(self, start_s: float) -> None:
        """Browsers do not begin in step; the seed makes each run alike."""
        phases = random.Random(0)
        period_s = 1 / self._plan.rate_per_s if self._plan.rate_per_s else START_SPREAD_S
        for browser in self._browsers:
            browser.due_s = browser.paused_until_s = start_s + phases.random() * period_s

    def _processor_s(self) -> dict[str, float]:
        watched = {name: processor_s(pids) for name, pids in self._plan.watched.items()}
        ours = watched | {"load": time.process_time()}
        return ours | {"other": machine_s() - sum(ours.values())}

    def _drive(self, until_s: float) -> None:
        while (now_s := time.perf_counter()) < until_s:
            next_s = min(until_s, self._send_due(now_s))
            for key, _ in self._selector.select(max(0.0, next_s - time.perf_counter())):
                self._receive(key.data)

    def _await_answers(self, until_s: float) -> None:
        """Take the answers to the last frames; they count among the capture times only."""
        self._measured_from_s = float("inf")
        while any(browser.sent_s for browser in self._open()) and time.perf_counter() < until_s:
            for key, _ in self._selector.select(until_s - time.perf_counter()):
                self._receive(key.data)

    def _open(self) -> list[_Browser]:
        return [browser for browser in self._browsers if not browser.is_closed]

    def _send_due(self, now_s: float) -> float:
        """Send what is due; when to look again."""
        send = self._send_planned if self._plan.rate_per_s else self._send_next
        return min((send(browser, now_s) for browser in self._open()), default=float("inf"))

    def _send_planned(self, browser: _Browser, now_s: float) -> float:
        assert self._plan.rate_per_s
        if now_s >= browser.due_s:
            self._send(browser, browser.due_s)  # a late start is part of the round trip
            browser.due_s += 1 / self._plan.rate_per_s
        return browser.due_s

    def _send_next(self, browser: _Browser, now_s: float) -> float:
        if now_s < browser.paused_until_s:
            return browser.paused_until_s
        while len(browser.sent_s) < self._plan.under_way:
            self._send(browser, now_s)
        return float("inf")

    def _send(self, browser: _Browser, now_s: float) -> None:
        self._load.sent += now_s >= self._measured_from_s
        try:
            browser.send(now_s)
        except ConnectionError:
            self._ended(browser)

    def _ended(self, browser: _Browser) -> None:
        browser.is_closed = True
        self._load.closed += 1
        self._selector.unregister(browser.socket)

    def _receive(self, browser: _Browser) -> None:
        try:
            messages = browser.receive()
        except ConnectionError:
            self._ended(browser)
            return
        for message in messages:
            if message.startswith(b"43"):
                self._answered(browser, message, time.perf_counter())
            else:
                browser.reply(message)

    def _answered(self, browser: _Browser, message: bytes, now_s: float) -> None:
        seq = int(message[2 : message.index(b"[")])
        sent_s = browser.sent_s.pop(seq)
        self._load.slowest_ms = max(self._load.slowest_ms, 1000 * (now_s - sent_s))
        problem = problem_code(message)
        if problem:
            browser.paused_until_s = now_s + REFUSED_PAUSE_S
        else:
            self._load.captured_ms[browser.number].append(round(1000 * sent_s, 1))
        if now_s < self._measured_from_s:
            return
        if problem:
            self._load.problems[problem] += 1
            return
        self._load.analysed[browser.number] += 1
        self._load.faces += message.count(b'"landmarks":{')
        self._load.round_trips_ms.append(1000 * (now_s - sent_s))
        self._load.timings.append(message[message.rindex(b"{") : -2])


def problem_code(message: bytes) -> str | None:
    """The code in an acknowledgement that is a problem."""
    found = message.find(b'"problem"', 0, 60)
    if found < 0:
        return None
    return message[found:].split(b'"')[5].decode()
