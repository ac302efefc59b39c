"""Two changes to eventlet's websockets, both for the sake of the event loop that all clients share.

Unmasking: a browser masks all that it sends (RFC 6455, section 5.3): byte i of a payload is XORed with byte
i mod 4 of the frame's mask. eventlet 0.41 does this a byte at a time in Python, 8 to 10 ms for a 40 kB
picture; here numpy does it, and `make bench` shows both.

Compression: eventlet agrees to permessage-deflate, and a browser then deflates pictures that are JPEGs
already, for the server to inflate. It is refused here.

Only this module and `wsgi.py` know eventlet.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from eventlet.websocket import RFC6455WebSocket, WebSocketWSGI

MASK_LENGTH = 4


def apply_mask(data: bytes, mask: Sequence[int], length: int | None = None, offset: int = 0) -> bytes:
    """XOR the first `length` bytes of `data` with `mask`, whose phase is moved on by `offset` bytes.

    Gives what `RFC6455WebSocket._apply_mask` of eventlet gives, for every argument.
    """
    length = len(data) if length is None else length
    first = offset % MASK_LENGTH
    turned = bytes((*mask[first:], *mask[:first]))
    key = np.frombuffer(turned * (length // MASK_LENGTH + 1), dtype=np.uint8, count=length)
    return np.bitwise_xor(np.frombuffer(data, dtype=np.uint8, count=length), key).tobytes()


def install() -> None:
    """Change every websocket that this process opens from now on."""
    RFC6455WebSocket._apply_mask = staticmethod(apply_mask)
    WebSocketWSGI._negotiate_permessage_deflate = _refuse_compression


def _refuse_compression(protocol: WebSocketWSGI, extensions: object) -> None:
    return None
