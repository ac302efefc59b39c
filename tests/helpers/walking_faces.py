"""A minute of video in which people enter, walk past one another and leave, at known times and places."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.vision.images import astronaut, grace_hopper, shipped
from webapp.protocol import Box, FileFrame

WIDTH, HEIGHT = 640, 480

FACES = {"astronaut": Box(178, 68, 94, 105), "hopper": Box(167, 128, 190, 203)}
"""Where the faces are in the portraits, from temple to temple and from the forehead to the chin."""

SEEN_DISTANCE = 0.5
"""A face may be found this far from a walker's, in widths of it: the mesh slides on a face half hidden."""

ImageArray = NDArray[np.uint8]
Place = tuple[float, float, float]


@dataclass(frozen=True)
class Walker:
    """A person who is seen from `start_s` until before `end_s`, behind those who come later in a list.

    `place` gives the center of the face and its width, in pixels, at a time. `look` is a portrait, `mirrored`
    and darker (`light` under 1) for somebody else.
    """

    look: str
    start_s: float
    end_s: float
    place: Callable[[float], Place]
    mirrored: bool = False
    light: float = 1.0

    def is_seen(self, t: float) -> bool:
        return self.start_s <= t < self.end_s


def still(x: float, y: float, width: float) -> Callable[[float], Place]:
    """Swaying a little around one place."""
    return lambda t: (x + 0.2 * width * math.sin(2.1 * t), y + 0.1 * width * math.cos(1.7 * t), width)


def straight(start_s: float, end_s: float, first: Place, last: Place) -> Callable[[float], Place]:
    """From one place to another at an even speed."""

    def place(t: float) -> Place:
        x, y, width = (
            a + (b - a) * (t - start_s) / (end_s - start_s) for a, b in zip(first, last, strict=True)
        )
        return x, y, width

    return place


MINUTE = (
    Walker("astronaut", 2.0, 20.0, still(160, 200, 110)),
    Walker("hopper", 5.0, 30.0, still(460, 230, 120)),
    Walker("astronaut", 22.5, 28.0, straight(22.5, 28, (120, 200, 60), (180, 240, 160)), mirrored=True),
    # Two who cross slowly, one behind the other, and two who cross quickly, side by side and back again.
    Walker("hopper", 32.0, 42.0, straight(32, 42, (100, 220, 100), (540, 240, 100)), mirrored=True),
    Walker("astronaut", 32.5, 42.0, straight(32.5, 42, (540, 250, 115), (100, 240, 115)), light=0.8),
    Walker("astronaut", 44.0, 50.0, lambda t: (320 - 220 * math.cos(2 * (t - 44)), 195, 90), light=0.7),
    Walker("hopper", 44.5, 50.0, lambda t: (320 + 220 * math.cos(2 * (t - 44)), 250, 95)),
    Walker("hopper", 52.0, 58.0, straight(52, 58, (420, 200, 60), (300, 220, 200))),
    Walker("astronaut", 53.0, 57.0, still(120, 160, 48), mirrored=True),
)


def painted(t: float, walkers: Iterable[Walker]) -> ImageArray:
    """The frame at that time, (480, 640, 3) BGR."""
    canvas = _background().copy()
    for walker in walkers:
        if walker.is_seen(t):
            _paste(canvas, walker, *walker.place(t))
    return canvas


def walker_at(t: float, box: Box, walkers: Iterable[Walker]) -> int | None:
    """The number of the walker whose face a box shows at that time."""
    distances = {
        number: math.dist(box.center, walker.place(t)[:2]) / walker.place(t)[2]
        for number, walker in enumerate(walkers)
        if walker.is_seen(t)
    }
    nearest = min(distances, key=lambda number: distances[number], default=None)
    return None if nearest is None or distances[nearest] > SEEN_DISTANCE else nearest


def seen_by_walker(
    frames: Iterable[FileFrame], walkers: tuple[Walker, ...]
) -> dict[int | None, list[tuple[float, int]]]:
    """The times at which each walker was found, and with which id; None has what is nobody's."""
    seen: dict[int | None, list[tuple[float, int]]] = {}
    for frame in frames:
        for face in frame.faces:
            seen.setdefault(walker_at(frame.t, face.box, walkers), []).append((frame.t, face.id))
    return seen


def _paste(canvas: ImageArray, walker: Walker, x: float, y: float, width: float) -> None:
    image, alpha, face = _cutout(walker.look, walker.mirrored)
    scale = width / face.width
    left, top = x - scale * face.center[0], y - scale * face.center[1]
    low_x, low_y = max(0, math.floor(left)), max(0, math.floor(top))
    high_x = min(WIDTH, math.ceil(left + scale * image.shape[1]))
    high_y = min(HEIGHT, math.ceil(top + scale * image.shape[0]))
    matrix = np.array([[scale, 0, left - low_x], [0, scale, top - low_y]])
    size = (high_x - low_x, high_y - low_y)
    person, opacity = (cv2.warpAffine(part, matrix, size) for part in (image, alpha))
    part = canvas[low_y:high_y, low_x:high_x]
    part[:] = part + opacity[..., None] * (walker.light * person - part)


@functools.cache
def _cutout(look: str, mirrored: bool) -> tuple[ImageArray, NDArray[np.float32], Box]:
    """A head, shrunk to a face of 95 pixels, how opaque each pixel is, and where the face is in it."""
    portrait = {"astronaut": astronaut, "hopper": grace_hopper}[look]()
    box = FACES[look]
    left, top = int(box.x - 0.55 * box.width), int(max(0, box.y - 0.55 * box.height))
    image = portrait[top : int(box.y + 1.35 * box.height), left : int(box.x + 1.55 * box.width)]
    scale = 95 / box.width
    face = Box(scale * (box.x - left), scale * (box.y - top), 95, scale * box.height)
    image = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    alpha = np.zeros(image.shape[:2], np.float32)
    center = (round(face.center[0]), round(face.center[1]))
    cv2.ellipse(alpha, center, (round(0.68 * face.width), round(0.85 * face.height)), 0, 0, 360, 1, -1)
    alpha[center[1] :, center[0] - 28 : center[0] + 28] = 1
    alpha = np.asarray(cv2.GaussianBlur(alpha, (0, 0), 3), np.float32)
    if not mirrored:
        return image, alpha, face
    flipped = np.ascontiguousarray(image[:, ::-1])
    return (
        flipped,
        np.ascontiguousarray(alpha[:, ::-1]),
        face._replace(x=image.shape[1] - face.x - face.width),
    )


@functools.cache
def _background() -> ImageArray:
    dull = cv2.resize(shipped("coffee"), (WIDTH, HEIGHT)).astype(np.float32) * 0.5 + 60
    return np.asarray(dull, np.uint8)
