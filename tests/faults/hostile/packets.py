"""Socket.IO and Engine.IO packets that are wrong; https://socket.io/docs/v4/engine-io-protocol has them."""

from __future__ import annotations

import random

from tests.faults.hostile.frames import binary, text
from tests.faults.hostile.values import nested, value

NAMESPACES = ("", "/admin,", "/,", "/" + "x" * 2000 + ",", "/a?b=c,", "//,", "/\U0001f642,")
COUNTS = ("", "0-", "1-", "2-", "999999999-", "-1-", "12345678901-", "1.5-", "\u0661-")
IDS = ("", "0", "1", "9" * 99, "9" * 200, "-1", "\u00b2", "1e3")
NAMES = ('"frame"', '"connect"', '"disconnect"', '"*"', '"nothing"', '""', "1", "null", "[]", "{}")


def socketio(chance: random.Random) -> bytes:
    """A Socket.IO packet, perhaps with attachments, after which the connection must still be good."""
    kind = chance.choice("02345678x")
    count = chance.choice(COUNTS) if kind in "56" or chance.random() < 0.3 else ""
    # Never the default namespace for what would be a good acknowledgement of a number that means something.
    namespace = chance.choice(NAMESPACES)
    data = chance.choice((f"[{chance.choice(NAMES)},{value(chance)}]", value(chance), "", nested(60), "[1,"))
    packet = f"4{kind}{count}{namespace}{chance.choice(IDS)}{data}"
    frames = [text(packet.encode())]
    frames += [binary(chance.randbytes(9)) for _ in range(chance.choice((0, 0, 1, 2, 3)))]
    return b"".join(frames)


def engineio(chance: random.Random) -> bytes:
    """An Engine.IO packet that is wrong, or has no place here."""
    texts = (
        "",
        "0",
        "2probe",
        "3",
        "3probe",
        "5",
        "6",
        "7",
        "9x",
        "b",
        "bAAAA",
        "b!",
        "x",
        "\0",
        "4",
        "4{}",
        "4[]",
    )
    kind = chance.randrange(3)
    if kind == 0:
        return text(chance.choice(texts).encode())
    if kind == 1:
        return binary(chance.randbytes(chance.choice((0, 1, 30))))
    return text(f"{chance.choice('012345678b')}{value(chance)}".encode())


def polling_body(chance: random.Random) -> bytes:
    """What a client of the polling transport posts."""
    bodies = (
        b"",
        b"d=4",
        b"\xff\xfe",
        b"4",
        b"\x1e",
        b"40",
        b"42[1,",
        b"\x1e".join([b"6"] * 40),
        b"b" + b"A" * 999,
    )
    return chance.choice(
        (*bodies, chance.randbytes(50), f"4{chance.choice('0123456')}{value(chance)}".encode())
    )
