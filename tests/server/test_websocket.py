from __future__ import annotations

import io
import itertools
import socket
from functools import partial
from typing import cast

import eventlet
import eventlet.websocket
import pytest
from eventlet.websocket import RFC6455WebSocket, WebSocketWSGI
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers.load_client import websocket_frame
from webapp.config.limits import Limits
from webapp.server import websocket as websocket_module
from webapp.server.connections.connection_limits import (
    BURST_UNITS,
    OVER_BUDGET_TIMEOUT_S,
    UNITS_PER_S,
    Budget,
)
from webapp.server.websocket import UNITS_PER_TURN, LimitedMessage, QuickWebSocket, apply_mask, install

eventlets_own = RFC6455WebSocket._apply_mask


@given(
    data=st.binary(max_size=300),
    mask=st.tuples(*[st.integers(0, 255)] * 4),
    offset=st.integers(0, 1 << 33),
    shorter_by=st.integers(0, 300),
)
def test_it_equals_eventlets_own_unmasking(
    data: bytes, mask: tuple[int, int, int, int], offset: int, shorter_by: int
) -> None:
    length = max(0, len(data) - shorter_by)
    assert apply_mask(data, mask, length, offset) == eventlets_own(data, mask, length, offset)
    assert apply_mask(data, mask) == eventlets_own(data, mask)


def test_unmasking_twice_gives_the_payload_back() -> None:
    payload = bytes(range(256)) * 157
    assert apply_mask(apply_mask(payload, (1, 2, 3, 250), offset=3), (1, 2, 3, 250), offset=3) == payload


def test_installed_it_serves_every_websocket_and_compression_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(eventlet.websocket, "RFC6455WebSocket", RFC6455WebSocket)
    monkeypatch.setattr(
        WebSocketWSGI, "_negotiate_permessage_deflate", WebSocketWSGI._negotiate_permessage_deflate
    )
    offered: dict[str, list[object]] = {"permessage-deflate": [{}]}
    assert WebSocketWSGI(None)._negotiate_permessage_deflate(offered) is not None
    install(Limits())
    assert eventlet.websocket.RFC6455WebSocket._apply_mask is apply_mask
    assert WebSocketWSGI(None)._negotiate_permessage_deflate(offered) is None


@given(
    messages=st.lists(st.binary(max_size=70_000) | st.text(max_size=300), max_size=5),
    pieces=st.lists(st.integers(1, 70_000), min_size=1, max_size=8),
)
def test_messages_arrive_however_the_network_cuts_them(
    messages: list[bytes | str], pieces: list[int]
) -> None:
    end = CutConnection(b"".join(map(masked_frame, messages)), pieces)
    received = QuickWebSocket(cast(socket.socket, end), {})
    assert [received.wait() for _ in messages] == messages
    assert received.wait() is None


@pytest.fixture(autouse=True)
def everything_has_arrived(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connections of these tests are no sockets that could be asked."""
    monkeypatch.setattr(websocket_module, "has_arrived", lambda _: True)


def masked_frame(message: bytes | str) -> bytes:
    """As a browser sends it."""
    opcode, payload = (0x81, message.encode()) if isinstance(message, str) else (0x82, message)
    return websocket_frame(opcode, payload)


def received_by(*frames: bytes, max_frame_length: int = 16_000_000) -> QuickWebSocket:
    """A websocket on whose connection these frames have arrived."""
    end = CutConnection(b"".join(frames), [1 << 18])
    return QuickWebSocket(cast(socket.socket, end), {}, max_frame_length=max_frame_length)


def fragments(count: int, payload: bytes, opcode: int = 2) -> list[bytes]:
    """So many frames of one message that is not over."""
    return [websocket_frame(opcode if number == 0 else 0, payload) for number in range(count)]


@pytest.mark.parametrize(
    ("frames", "limit"),
    [
        (fragments(3, bytes(400_000)), 1_000_000),
        (fragments(3, b"x" * 400_000, opcode=1), 16_000_000),
        (fragments(20_000, b"x"), 1_000_000),
    ],
    ids=["of large fragments", "of text", "of tiny fragments"],
)
def test_a_message_is_limited_together_with_its_unfinished_fragments(
    frames: list[bytes], limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eventlet, "sleep", lambda _: None)
    endless = received_by(*frames, masked_frame(b"the next message"), max_frame_length=limit)
    assert endless.wait() is None
    assert closing_status(endless) == 1009


def test_text_that_is_not_utf_8_fails_the_connection_with_the_status_for_it() -> None:
    broken = received_by(websocket_frame(0x81, b"42[\xff]"))
    assert broken.wait() is None
    assert closing_status(broken) == 1007


def test_a_message_has_to_be_whole_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QuickWebSocket, "Message", partial(LimitedMessage, timeout_s=-1.0))
    slow = received_by(*fragments(2, b"x"))
    assert slow.wait() is None
    assert closing_status(slow) == 1008


def test_other_connections_have_their_turn_however_much_has_arrived(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(eventlet, "sleep", waits.append)
    flood = received_by(*[websocket_frame(0x8A, b"")] * 200, masked_frame(b"last"))
    assert flood.wait() == b"last"
    assert len(waits) >= 200 / UNITS_PER_TURN - 1 and not any(waits)


@pytest.mark.parametrize("waits", [False, True], ids=["sends on", "waits to be read"])
def test_a_flood_is_slowed_and_closed_if_it_goes_on(waits: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once in between everything that was sent has been read, or not."""
    clock_s = 0.0
    monkeypatch.setattr(websocket_module, "has_arrived", lambda _: not waits)

    def sleep(seconds: float) -> None:
        nonlocal clock_s
        clock_s += seconds

    monkeypatch.setattr(eventlet, "sleep", sleep)
    pings = round(BURST_UNITS + (OVER_BUDGET_TIMEOUT_S + 1) * UNITS_PER_S)
    flood = received_by(*[websocket_frame(0x8A, b"xx")] * pings)  # whole ones fill what is read at once
    flood.budget = Budget(clock=lambda: clock_s)
    assert flood.wait() is None
    if waits:
        assert flood.socket.sent == []
    else:
        assert closing_status(flood) == 1008
    assert OVER_BUDGET_TIMEOUT_S <= clock_s < OVER_BUDGET_TIMEOUT_S + 1.1


def closing_status(closed: QuickWebSocket) -> int:
    """The status with which a websocket was closed."""
    (frame,) = closed.socket.sent
    return int.from_bytes(frame[2:4], "big")


class CutConnection:
    """A connection on which so many bytes at a time arrive, over and over, and which is closed then."""

    def __init__(self, data: bytes, pieces: list[int]) -> None:
        self._data = io.BytesIO(data)
        self._pieces = itertools.cycle(pieces)
        self.sent: list[bytes] = []

    def sendall(self, data: bytes) -> None:
        self.sent.append(data)

    def shutdown(self, how: int) -> None:
        """There is nothing to end."""

    def close(self) -> None:
        """There is nothing to close."""

    def recv(self, count: int) -> bytes:
        return self._data.read(min(count, next(self._pieces)))
