"""Websocket frames that break RFC 6455, or use what it allows and nobody does."""

from __future__ import annotations

import random
import struct

FINAL, MASKED = 0x80, 0x80
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA

CLOSING = (
    b"",
    b"\x03",
    b"\x00\x00",
    b"\x03\xe8",
    b"\x03\xed",
    b"\xff\xff",
    b"\x03\xe8\xff\xfe",
    b"\x03\xe8bye",
)


def raw(
    first: int, payload: bytes, *, length: int | None = None, size: int = 0, masked: bool = True
) -> bytes:
    """A frame with any first byte, whose length may be a lie and may be written in `size` bytes, 2 or 8."""
    said = len(payload) if length is None else length
    size = max(size, 0 if said < 126 else 2 if said < 1 << 16 else 8)
    short = {0: said, 2: 126, 8: 127}[size]
    head = bytes((first, (MASKED if masked else 0) | short))
    head += {0: b"", 2: struct.pack(">H", said & 0xFFFF), 8: struct.pack(">Q", said & (1 << 64) - 1)}[size]
    return head + (bytes(4) if masked else b"") + payload  # a mask of zeros changes nothing


def text(payload: bytes) -> bytes:
    """A text message."""
    return raw(FINAL | TEXT, payload)


def binary(payload: bytes) -> bytes:
    """A binary message."""
    return raw(FINAL | BINARY, payload)


def malformed(chance: random.Random) -> bytes:
    """A whole frame, or two, after which a server may end the connection."""
    some = chance.randbytes(chance.choice((0, 1, 20)))
    made = (
        raw(FINAL | chance.choice((3, 4, 5, 6, 7, 11, 12, 13, 14, 15)), some),
        raw(FINAL | chance.choice((0x10, 0x20, 0x40, 0x70)) | 1, b"42[1]"),
        raw(FINAL | 1, b"42[1]", masked=False),
        raw(FINAL | CONTINUATION, some),
        raw(1, b"42[") + raw(FINAL | 1, b"1]"),
        raw(1, b"42[") + raw(FINAL | PING, some) + raw(FINAL | 2, some),
        raw(chance.choice((CLOSE, PING, PONG)), some),
        raw(FINAL | chance.choice((CLOSE, PING, PONG)), bytes(chance.choice((126, 70_000)))),
        raw(FINAL | CLOSE, chance.choice(CLOSING)),
        raw(FINAL | 1, b"42\xff\xfe[1]"),
        raw(1, b"42\xf0\x9f") + raw(FINAL | CONTINUATION, b"\x99"),
        raw(FINAL | 1, b"42[1]", size=8),
        raw(FINAL | 2, some, size=chance.choice((2, 8))),
        raw(FINAL | 1, b"x" * ((1 << 20) + 1)),
        raw(FINAL | chance.choice((1, 2)), b"", length=chance.choice((1 << 25, 1 << 40, (1 << 63) + 5))),
    )
    return chance.choice(made)


def unfinished(chance: random.Random) -> bytes:
    """The beginning of a frame, or of a message, the rest of which never comes; or noise."""
    made = (
        raw(FINAL | 1, b"42[", length=chance.choice((4, 125, 60_000, 900_000))),
        raw(FINAL | 2, b"", length=chance.choice((1, 3_000_000)), size=8),
        raw(2, bytes(1000)) * chance.randint(1, 20),
        raw(1, b"") * chance.randint(1, 200),
        bytes((FINAL | 1,)),
        bytes((FINAL | 1, MASKED | 127)),
        chance.randbytes(chance.randint(1, 400)),
    )
    return chance.choice(made)


def in_fragments(chance: random.Random, event: bytes, attachment: bytes) -> bytes:
    """A good event, cut into fragments with pings and pongs between them."""
    return _cut(chance, TEXT, event) + _cut(chance, BINARY, attachment)


def _cut(chance: random.Random, opcode: int, payload: bytes) -> bytes:
    pieces: list[bytes] = []
    left = payload
    while left and len(pieces) < 12:
        place = chance.randrange(len(left) + 1)
        pieces.append(left[:place])
        left = left[place:]
    pieces.append(left)
    frames = []
    for index, piece in enumerate(pieces):
        first = opcode if index == 0 else CONTINUATION
        final = FINAL if index == len(pieces) - 1 else 0
        frames.append(raw(final | first, piece))
        if not final and chance.random() < 0.5:
            frames.append(raw(FINAL | chance.choice((PING, PONG)), b"between"))
    return b"".join(frames)
