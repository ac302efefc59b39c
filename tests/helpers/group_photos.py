"""Large photographs with many known faces, from 40 pixels to hundreds wide, before a background without
any."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.vision.images import FACE, astronaut, overlap, shipped
from webapp.protocol import Box, Face

ImageArray = NDArray[np.uint8]

MARGIN = (0.75, 0.6)
"""How much of the portrait is left and above the face, in widths of the face."""

MEGAPIXELS_12 = (4000, 3000)
MEGAPIXELS_48 = (8000, 6000)


def group_photo(
    size: tuple[int, int], widths: tuple[int, ...], seed: int = 1
) -> tuple[ImageArray, list[Box]]:
    """A photograph of this size with a face of each width at a place of its own, and their boxes."""
    width, height = size
    image = np.asarray(cv2.resize(shipped("coffee"), size, interpolation=cv2.INTER_LINEAR), np.uint8)
    random = np.random.default_rng(seed)
    taken: list[Box] = []
    boxes = []
    for face_width in sorted(widths, reverse=True):
        part, face = _portrait(face_width)
        rows, columns = part.shape[:2]
        while True:
            left, top = int(random.integers(width - columns)), int(random.integers(height - rows))
            place = Box(left, top, columns, rows)
            if all(overlap(place, other) == 0 for other in taken):
                break
        image[top : top + rows, left : left + columns] = part
        taken.append(place)
        boxes.append(face._replace(x=left + face.x, y=top + face.y))
    return image, boxes


def missing(boxes: list[Box], faces: tuple[Face, ...]) -> list[Box]:
    """Those of the boxes that no face was found for."""
    return [box for box in boxes if not any(overlap(box, face.box) > 0.4 for face in faces)]


def _portrait(face_width: int) -> tuple[ImageArray, Box]:
    """The portrait with a face of this width, and where the face is in it."""
    left, top = round(FACE.x - MARGIN[0] * FACE.width), round(FACE.y - MARGIN[1] * FACE.width)
    cut = astronaut()[top : top + round(2.4 * FACE.width), left : left + round(2.5 * FACE.width)]
    scale = face_width / FACE.width
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    part = np.asarray(cv2.resize(cut, None, fx=scale, fy=scale, interpolation=interpolation), np.uint8)
    return part, Box(scale * (FACE.x - left), scale * (FACE.y - top), face_width, scale * FACE.height)
