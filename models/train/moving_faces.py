"""Made frames of a camera that films one face for a while: it drifts, and faults vary from frame to frame.

The head goes nearer and farther, tips, turns a little and trembles. Faults come in bouts, because a hand
before the mouth, or a camera's search for focus, lasts for more than a frame. Turning distorts the flat
image of a face; what a real head would show of its other side is not made.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.train.frames import HEIGHT, QUALITY, SURROUND, WIDTH

Face = NDArray[np.uint8]
Frame = NDArray[np.uint8]
Random = np.random.Generator

NEAR_SIDE, FAR_SIDE = 200, 40
"""The side of FER2013's square around a face, in pixels of a frame; the face is three quarters as wide."""

DRIFT_FRAMES = (20, 60)
"""The shortest and the longest time from near to far and back."""

TREMBLE = 0.015
"""The standard deviation of a face's position, in sides."""

TIP_DEGREES, TREMBLE_DEGREES = 8.0, 1.0
TURN = 0.12
"""How much narrower a turned face is at most, and how much taller on the side that is nearer."""

FAULTS = ("noise", "blur", "dark", "cover", "jpeg")
FAULT_RATE, FAULT_STAYS = 0.6, 0.5
"""How many bouts are of a fault, and how often a bout lasts for another frame."""


@dataclass(frozen=True, slots=True)
class Moment:
    """How a face lies in one frame, and what is wrong with it; `strength` of the fault is 0 to 1."""

    side: float = NEAR_SIDE
    tip_degrees: float = 0.0
    shift: tuple[float, float] = (0.0, 0.0)
    turn: float = 0.0
    fault: str | None = None
    strength: float = 0.0


def moments(random: Random, faulty: bool) -> Iterator[Moment]:
    """One moment after another, without end; without faults the face also stays near."""
    period, phase = random.uniform(*DRIFT_FRAMES), random.uniform(0, 2 * math.pi)
    fault, wave = None, phase
    while True:
        nearness = (1 + math.sin(wave)) / 2 if faulty else 1.0
        yield Moment(
            side=FAR_SIDE * (NEAR_SIDE / FAR_SIDE) ** nearness,
            tip_degrees=TIP_DEGREES * math.sin(1.7 * wave) + random.normal(0, TREMBLE_DEGREES),
            shift=(random.normal(0, TREMBLE), random.normal(0, TREMBLE)),
            turn=TURN * math.sin(2.3 * wave),
            fault=fault,
            strength=random.random(),
        )
        wave += 2 * math.pi / period
        if faulty and random.random() > FAULT_STAYS:
            fault = str(random.choice(FAULTS)) if random.random() < FAULT_RATE else None


def encoded_frame(face: Face, moment: Moment, random: Random) -> bytes:
    """The JPEG of a frame with the (48, 48) gray face at this moment."""
    frame = placed(covered(face, random) if moment.fault == "cover" else face, moment)
    match moment.fault:
        case "noise":
            frame = noisy(frame, 10 + 25 * moment.strength, random)
        case "dark":
            frame = noisy(frame * np.float32(0.4 - 0.3 * moment.strength), 3.0, random)
        case "blur":
            deviation = moment.side * (0.015 + 0.045 * moment.strength)
            frame = np.asarray(cv2.GaussianBlur(frame, (0, 0), deviation), np.uint8)
    quality = int(40 - 30 * moment.strength) if moment.fault == "jpeg" else QUALITY
    color = cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR)
    return bytes(cv2.imencode(".jpg", color, (cv2.IMWRITE_JPEG_QUALITY, quality))[1])


def placed(face: Face, moment: Moment) -> Frame:
    """The face in a (480, 640) gray frame, around its center."""
    side = min(face.shape[0], round(moment.side))
    small = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
    corners = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])
    turned = corners * np.array([(1 - abs(moment.turn), 1 + sign * moment.turn) for sign in (-1, 1, 1, -1)])
    cos, sin = (f(math.radians(moment.tip_degrees)) for f in (math.cos, math.sin))
    target = (turned @ [[cos, sin], [-sin, cos]] + moment.shift) * moment.side + (WIDTH / 2, HEIGHT / 2)
    source = (corners + 0.5) * side - 0.5
    matrix = cv2.getPerspectiveTransform(source.astype(np.float32), target.astype(np.float32))
    warped = cv2.warpPerspective(small, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC, borderValue=SURROUND)
    return np.asarray(warped, np.uint8)


def covered(face: Face, random: Random) -> Face:
    """The face behind an even patch, or behind a mask over all below the nose."""
    side = face.shape[0]
    result = face.copy()
    top, left, height, width = int(side * random.uniform(0.6, 0.75)), 0, side, side
    if random.random() > 0.3:
        height, width = random.integers(side // 4, side * 6 // 10, 2)
        top, left = random.integers(0, side - height), random.integers(0, side - width)
    result[top : top + height, left : left + width] = random.integers(0, 256)
    return result


def noisy(frame: NDArray[np.uint8] | NDArray[np.float32], deviation: float, random: Random) -> Frame:
    """The frame with a sensor's noise."""
    noise = random.standard_normal(frame.shape, np.float32) * np.float32(deviation)
    return np.clip(frame + noise, 0, 255).astype(np.uint8)
