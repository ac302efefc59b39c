"""The inputs that fuzzing begins with, made by our own code: good ones, and hostile ones of every kind."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np

from tests.faults.hostile import frames, images, packets, values
from tests.helpers.faces import face
from webapp.errors import BadFrameError, TooLargeError
from webapp.ipc import framing
from webapp.ipc.job_codec import pack_job, pack_outcome
from webapp.protocol import WORKER_STAGES, Analysis, Job
from webapp.vision.polylines import polylines_json

HOSTILE = 40
"""Made by chance, of each kind, always the same."""


def seeds(target: str) -> list[bytes]:
    """The first inputs of a target."""
    return {
        "headers": _images,
        "image": _images,
        "link": _messages,
        "reply": _replies,
        "websocket": _frames,
        "packet": _packets,
    }[target]()


def _chances() -> list[random.Random]:
    return [random.Random(number) for number in range(HOSTILE)]


def _images() -> list[bytes]:
    hostile = [images.damaged(chance) for chance in _chances()]
    return [*images.good_kinds().values(), *hostile, *[images.bomb(chance) for chance in _chances()[:10]]]


def _messages() -> list[bytes]:
    sent = [framing.HEADER.pack(length, 7) + bytes(length) for length in (0, 1, 300)]
    return [*sent, b"".join(sent), framing.HEADER.pack(1 << 31, 1), framing.HEADER.pack(9, 1) + b"half"]


def _replies() -> list[bytes]:
    points = np.linspace(-9.5, 640.0, 2 * 468, dtype=np.float32).reshape(468, 2)
    found = replace(face(), landmarks=polylines_json(points))
    timing_ms = dict.fromkeys(WORKER_STAGES, 1.5)
    analyses = [Analysis(640, 480, (found,) * count, timing_ms) for count in (0, 1, 3)]
    problems = [BadFrameError("bad"), TooLargeError("large")]
    return [*map(pack_outcome, analyses), *map(pack_outcome, problems), pack_job(Job(b"image"))]


def _frames() -> list[bytes]:
    chances = _chances()
    whole = [frames.in_fragments(chance, b"42[1]", b"x" * 300) for chance in chances[:10]]
    broken = [frames.malformed(chance)[:70_000] for chance in chances]
    return [*whole, *broken, *(frames.unfinished(chance) for chance in chances)]


def _packets() -> list[bytes]:
    metas = [values.meta(chance) for chance in _chances()]
    events = [f'51-7["frame",{meta},{{"_placeholder":true,"num":0}}]'.encode() for meta in metas]
    readiness = [f'2["readiness",{values.event_data(chance, "readiness")}]'.encode() for chance in _chances()]
    bodies = [packets.polling_body(chance) for chance in _chances()]
    return [*events, *readiness, *bodies]
