"""What hostile clients send, one shot after another: the same for the same seed and number.

    python -m tests.faults.hostile.shots SEED NUMBER    # shows one of them

Each shot says what a server may do about it, so that nothing else passes for an answer.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from tests.faults.hostile import frames, images, packets, values
from tests.faults.hostile.frames import binary, text

ROOM_EVENTS = ("join", "leave", "withdraw", "baseline", "mark", "readiness", "subscribe", "visible")

MAX_HEX = 160


class Effect(Enum):
    """What has to come of a shot."""

    ANSWERED = "an acknowledgement"
    IGNORED = "nothing, and the connection stays"
    MAY_CLOSE = "the end of the connection, or nothing"
    BROKEN_OFF = "nothing: the client itself ends the connection"
    POSTED = "an HTTP response to a post of packets"
    UPLOADED = "an HTTP response to an uploaded image"


@dataclass(frozen=True, slots=True)
class Shot:
    """`data` goes on the wire as it is, but for POSTED and UPLOADED, where it is the body or the file.

    An acknowledgement, where there is one, has `number` as its id.
    """

    number: int
    kind: str
    effect: Effect
    data: bytes

    def described(self) -> str:
        """The shot in a line, its bytes shortened."""
        shown = self.data.hex()
        middle = f"...({len(self.data):,} bytes)" if len(shown) > MAX_HEX else ""
        return f"shot {self.number}, {self.kind}: {shown[:MAX_HEX]}{middle}"


def shot(seed: int, number: int) -> Shot:
    """The shot of this number."""
    chance = random.Random(f"{seed}/{number}")
    (kind,) = chance.choices(list(KINDS), [weight for weight, _ in KINDS.values()])
    effect, data = KINDS[kind][1](chance, number)
    return Shot(number, kind, effect, data)


def frame_event(number: int, meta: str, image: bytes) -> bytes:
    """A frame with any text as its meta."""
    event = f'451-{number}["frame",{meta},{{"_placeholder":true,"num":0}}]'
    return text(event.encode(errors="replace")) + binary(image)


def good_meta(number: int) -> str:
    """The meta of a frame as a browser sends it."""
    return f'{{"seq":{number},"captured_ms":{number}.5}}'


Made = tuple[Effect, bytes]


def _damaged_image(chance: random.Random, number: int) -> Made:
    return Effect.ANSWERED, frame_event(number, good_meta(number), images.damaged(chance))


def _bomb(chance: random.Random, number: int) -> Made:
    return Effect.ANSWERED, frame_event(number, good_meta(number), images.bomb(chance))


def _meta(chance: random.Random, number: int) -> Made:
    return Effect.ANSWERED, frame_event(number, values.meta(chance), images.any_image(chance))


def _unreadable_meta(chance: random.Random, number: int) -> Made:
    return Effect.IGNORED, frame_event(number, values.beyond_limits(chance), images.any_image(chance))


def _arguments(chance: random.Random, number: int) -> Made:
    arguments = "".join(f",{values.value(chance)}" for _ in range(chance.randrange(5)))
    return Effect.ANSWERED, text(f'42{number}["frame"{arguments}]'.encode())


def _room_event(chance: random.Random, number: int) -> Made:
    name = chance.choice(ROOM_EVENTS)
    event = f'42{number}["{name}",{values.event_data(chance, name)}]'
    return Effect.ANSWERED, text(event.encode())


def _socketio_packet(chance: random.Random, number: int) -> Made:
    return Effect.IGNORED, packets.socketio(chance)


def _engineio_packet(chance: random.Random, number: int) -> Made:
    return Effect.MAY_CLOSE, packets.engineio(chance)


def _websocket_frame(chance: random.Random, number: int) -> Made:
    return Effect.MAY_CLOSE, frames.malformed(chance)


def _fragments(chance: random.Random, number: int) -> Made:
    whole = f'451-{number}["frame",{good_meta(number)},{{"_placeholder":true,"num":0}}]'.encode()
    return Effect.ANSWERED, frames.in_fragments(chance, whole, images.any_image(chance))


def _half(chance: random.Random, number: int) -> Made:
    whole = frame_event(number, good_meta(number), images.damaged(chance))
    return Effect.BROKEN_OFF, whole[: chance.randrange(len(whole))]


def _unfinished_frame(chance: random.Random, number: int) -> Made:
    return Effect.BROKEN_OFF, frames.unfinished(chance)


def _post(chance: random.Random, number: int) -> Made:
    return Effect.POSTED, packets.polling_body(chance)


def _upload(chance: random.Random, number: int) -> Made:
    return Effect.UPLOADED, images.damaged(chance)


KINDS: dict[str, tuple[float, Callable[[random.Random, int], Made]]] = {
    "damaged image": (40, _damaged_image),
    "bomb": (6, _bomb),
    "wrong meta": (14, _meta),
    "unreadable meta": (3, _unreadable_meta),
    "wrong arguments": (4, _arguments),
    "room event": (4, _room_event),
    "Socket.IO packet": (8, _socketio_packet),
    "Engine.IO packet": (4, _engineio_packet),
    "websocket frame": (6, _websocket_frame),
    "fragments": (3, _fragments),
    "half message": (3, _half),
    "unfinished websocket frame": (2, _unfinished_frame),
    "polling post": (2, _post),
    "upload": (1, _upload),
}
"""How often each kind comes, out of 100, and what makes it."""


if __name__ == "__main__":
    made = shot(int(sys.argv[1]), int(sys.argv[2]))
    print(f"{made.kind}: {made.effect.value}\n{made.data!r}")
