"""JSON that nobody should send, as text, since no library would write some of it."""

from __future__ import annotations

import json
import random

NUMBERS = (
    *("0", "-0", "-1", "1", "0.5", "NaN", "Infinity", "-Infinity", "1e308", "1e999", "-1e999", "1e-999"),
    *("2147483648", "9223372036854775808", "18446744073709551616", "1" + 300 * "0", "-" + 4000 * "9"),
)

TEXTS = ("", " ", "\0", "seq", "ABCD2345", "../../etc/passwd", "\ud800", "\U0001f642", "é" * 300, "x" * 5000)
PLAIN = ("null", "true", "false", "[]", "{}", '{"_placeholder":true}', '{"_placeholder":true,"num":-1}')

META_KEYS = ("seq", "captured_ms", "smoothing_s", "room")
MANY_KEYS = json.dumps({f"{number}{'k' * (number % 300)}": 0 for number in range(500)})

EVENT_KEYS = {
    "join": ("room", "alias", "consent", "resume", "language", "pid", "consent_source"),
    "mark": ("room", "label", "time"),
    "readiness": ("room", "face", "light", "size", "pose", "rate"),
    "visible": ("participants",),
}


def value(chance: random.Random, depth: int = 0) -> str:
    """Any JSON value, and the numbers that Python takes for JSON too."""
    kind = chance.randrange(6 if depth < 3 else 4)
    if kind == 0:
        return chance.choice(NUMBERS)
    if kind == 1:
        return json.dumps(chance.choice(TEXTS))
    if kind in (2, 3):
        return chance.choice(PLAIN)
    items = [value(chance, depth + 1) for _ in range(chance.randrange(4))]
    if kind == 4:
        return f"[{','.join(items)}]"
    return "{" + ",".join(f"{json.dumps(chance.choice(TEXTS))}:{item}" for item in items) + "}"


def meta(chance: random.Random) -> str:
    """The meta of a frame: right but for some of it, or anything else."""
    if chance.random() < 0.3:
        kind = chance.randrange(3)
        return value(chance) if kind == 0 else nested(chance.randint(2, 80)) if kind == 1 else MANY_KEYS
    right = {"seq": "7", "captured_ms": "12.5"}
    wrong = {key: value(chance) for key in META_KEYS if chance.random() < 0.4}
    return _written(right | wrong)


def event_data(chance: random.Random, name: str) -> str:
    """The data of a room's event: some of its keys with any values, or anything else."""
    if chance.random() < 0.3:
        return value(chance)
    keys = EVENT_KEYS.get(name, ("room",))
    return _written({key: value(chance) for key in keys if chance.random() < 0.7})


def beyond_limits(chance: random.Random) -> str:
    """JSON that is broken, or that a parser may refuse."""
    broken = ('{"seq":', "{'seq':1}", "[,]", '{"seq":1}}', "\x1e", '"\n"', "-", "0x10")
    long = (nested(chance.choice((500, 990, 5_000, 100_000))), "9" * chance.choice((4_301, 100_000)))
    return chance.choice((*broken, *long))


def nested(depth: int) -> str:
    """An array in an array, and so on."""
    return "[" * depth + "]" * depth


def _written(members: dict[str, str]) -> str:
    return "{" + ",".join(f"{json.dumps(key)}:{member}" for key, member in members.items()) + "}"
