"""Who sits before the cameras of the screenshots: NASA's portrait of Eileen Collins, once or five times."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from tests.browser import videos
from tests.vision.images import FACE, ImageArray, astronaut, mirrored

WIDE = (1280, 720)
"""A camera's frame with room for five faces."""


def framed(portrait: ImageArray, scale: float = 1.3) -> ImageArray:
    """The portrait at this scale in a camera's frame, 640 x 480, which it fills."""
    shift = np.array([[scale, 0, (videos.WIDTH - scale * len(portrait)) / 2], [0, scale, -8]], np.float32)
    size = (videos.WIDTH, videos.HEIGHT)
    return np.asarray(cv2.warpAffine(portrait, shift, size), np.uint8)


def five_faces() -> ImageArray:
    """Five portraits beside each other in a wide frame, every other one mirrored and a little lower."""
    width, height = WIDE[0] // 5, WIDE[1]
    columns = []
    for number in range(5):
        portrait = astronaut() if number % 2 == 0 else mirrored(astronaut())
        scale = 1.5
        face_x = FACE_ACROSS if number % 2 == 0 else len(portrait) - FACE_ACROSS
        shift = np.array(
            [[scale, 0, width / 2 - scale * face_x], [0, scale, -8 - 20 * (number % 2)]], np.float32
        )
        columns.append(cv2.warpAffine(portrait, shift, (width, height)))
    return np.asarray(np.hstack(columns), np.uint8)


FACE_ACROSS = FACE.x + FACE.width / 2
"""The center of the portrait's face."""

CAMERAS: dict[str, Callable[[], ImageArray]] = {
    "Camera": lambda: framed(astronaut()),
    "Wide camera": five_faces,
}


def participants_jpeg() -> list[bytes]:
    """Frames of participants: the portrait, its mirror image, a nearer one."""
    one = astronaut()
    return [as_jpeg(frame) for frame in (framed(one), framed(mirrored(one)), framed(one, 1.4))]


def empty_jpeg() -> bytes:
    """A frame of an empty chair."""
    return as_jpeg(np.full((videos.HEIGHT, videos.WIDTH, 3), 90, np.uint8))


def as_jpeg(frame: ImageArray) -> bytes:
    """A frame as a browser sends it."""
    return cv2.imencode(".jpg", frame)[1].tobytes()
