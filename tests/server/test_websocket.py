from __future__ import annotations

import io
import itertools
import socket
from typing import cast

import eventlet.websocket
import pytest
from eventlet.websocket import RFC6455WebSocket, WebSocketWSGI
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.load_client import websocket_frame
from webapp.server.websocket import QuickWebSocket, apply_mask, install

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
    install()
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


def masked_frame(message: bytes | str) -> bytes:
    """As a browser sends it."""
    opcode, payload = (0x81, message.encode()) if isinstance(message, str) else (0x82, message)
    return websocket_frame(opcode, payload)


class CutConnection:
    """A connection on which so many bytes at a time arrive, over and over, and which is closed then."""

    def __init__(self, data: bytes, pieces: list[int]) -> None:
        self._data = io.BytesIO(data)
        self._pieces = itertools.cycle(pieces)

    def recv(self, count: int) -> bytes:
        return self._data.read(min(count, next(self._pieces)))
