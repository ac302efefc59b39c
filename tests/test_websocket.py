from __future__ import annotations

import pytest
from eventlet.websocket import RFC6455WebSocket, WebSocketWSGI
from hypothesis import given
from hypothesis import strategies as st

from webapp.websocket import apply_mask, install

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
    monkeypatch.setattr(RFC6455WebSocket, "_apply_mask", staticmethod(eventlets_own))
    monkeypatch.setattr(
        WebSocketWSGI, "_negotiate_permessage_deflate", WebSocketWSGI._negotiate_permessage_deflate
    )
    offered: dict[str, list[object]] = {"permessage-deflate": [{}]}
    assert WebSocketWSGI(None)._negotiate_permessage_deflate(offered) is not None
    install()
    assert RFC6455WebSocket._apply_mask is apply_mask
    assert WebSocketWSGI(None)._negotiate_permessage_deflate(offered) is None
