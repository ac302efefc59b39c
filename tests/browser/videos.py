"""Videos for Chromium's fake camera, whose every frame has a known answer and carries its own number."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from pathlib import Path

import cv2
import numpy as np

from tests.vision.images import FACE, ImageArray, astronaut
from webapp.protocol import Box

WIDTH, HEIGHT = 640, 480

FRAMES_PER_S = 30
"""What Chromium plays an .mjpeg at."""

MARKS = {"count": 9, "size": 20, "top": HEIGHT - 20}
"""The number of a frame: nine blocks in its lower left corner, black or white, the lowest bit first."""

Place = tuple[float, float, float]
"""Where the portrait lies in a frame: left, top, scale."""


def moving(number: int, count: int) -> Place:
    """Once round in `count` frames: to and fro, nearer and farther, up and down twice."""
    turn = 2 * math.pi * number / count
    scale = 1.1 + 0.2 * math.sin(turn)
    return 20 + 90 * math.sin(turn), -10 + 25 * math.cos(2 * turn), scale


def face_box(place: Place) -> Box:
    """Where the face of the portrait is in a frame."""
    left, top, scale = place
    return Box(left + scale * FACE.x, top + scale * FACE.y, scale * FACE.width, scale * FACE.height)


def frame(number: int, *places: Place) -> ImageArray:
    """A grey frame with the portrait at these places, and its number."""
    canvas = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    portrait = astronaut()
    for left, top, scale in places:
        shift = np.array([[scale, 0, left], [0, scale, top]], np.float32)
        cv2.warpAffine(portrait, shift, (WIDTH, HEIGHT), canvas, borderMode=cv2.BORDER_TRANSPARENT)
    size = MARKS["size"]
    for bit in range(MARKS["count"]):
        canvas[MARKS["top"] :, bit * size : (bit + 1) * size] = 255 * (number >> bit & 1)
    return canvas


def read_number(image: ImageArray) -> int:
    """The number that a frame carries."""
    size = MARKS["size"]
    blocks = image[HEIGHT - size // 2, size // 2 : MARKS["count"] * size : size, 1]
    return sum(int(block > 128) << bit for bit, block in enumerate(blocks))


def write(path: Path, frames: Iterable[ImageArray]) -> Path:
    """JPEGs one after the other, as Chromium takes them for a camera."""
    with path.open("wb") as file:
        for image in frames:
            file.write(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes())
    return path


def write_moving(path: Path, seconds: int, place: Callable[[int, int], Place] = moving) -> Path:
    """The portrait on its way round, without a jump at the end."""
    count = seconds * FRAMES_PER_S
    return write(path, (frame(number, place(number, count)) for number in range(count)))


def write_still(path: Path, *places: Place) -> Path:
    """The portrait at these places, not moving; no place is a camera that sees nobody."""
    return write(path, [frame(0, *places)] * 2)
