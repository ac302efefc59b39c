"""Images of faces as cameras send them: moving to and fro, leaning, in changing light, with noise."""

from __future__ import annotations

import functools
import math

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.vision.images import FACE, astronaut

IMAGES = 90
"""The scene goes round in this many images: nine seconds at ten a second, three at thirty."""

WIDTH = 640
ASPECT = 4 / 3
JPEG_QUALITY = 80

LARGEST_FACE = 0.24
"""The width of a face alone in the image, in widths of the image."""

FACE_IN_CELL = 0.36
"""The same where several share the image, in widths of the cell that each has for itself."""

NOISE = 2.0
"""The standard deviation of the camera's noise, in levels of 256."""

ImageArray = NDArray[np.uint8]


def moving_faces(faces: int = 1, width: int = WIDTH, count: int = IMAGES) -> list[bytes]:
    """JPEGs of `width` x 3/4 `width` pixels in which so many faces move, each in a cell of its own."""
    random = np.random.default_rng(0)
    return [_encoded(_noisy(scene(number / count, faces, width), random)) for number in range(count)]


def scene(progress: float, faces: int, width: int) -> ImageArray:
    """The image (height, width, 3) BGR at this part of the round, 0 to 1."""
    columns, rows = _grid(faces)
    height = round(width / ASPECT)
    image = np.full((height, width, 3), 90, np.uint8)
    for number in range(faces):
        row, column = divmod(number, columns)
        top, bottom = row * height // rows, (row + 1) * height // rows
        left, right = column * width // columns, (column + 1) * width // columns
        face_width = min(LARGEST_FACE * width, FACE_IN_CELL * (right - left))
        turn = 2 * math.pi * (progress + number / 8)
        image[top:bottom, left:right] = _portrait(turn, right - left, bottom - top, face_width)
    return image


def _grid(faces: int) -> tuple[int, int]:
    """Columns and rows for so many faces."""
    columns = math.ceil(math.sqrt(faces))
    return columns, math.ceil(faces / columns)


def _portrait(turn: float, width: int, height: int, face_width: float) -> ImageArray:
    """The portrait in a cell of this size, at `turn` (radians) of its way round."""
    scale = face_width / FACE.width * (1 + 0.15 * math.sin(2 * turn))
    center = (FACE.x + FACE.width / 2, FACE.y + FACE.height / 2)
    matrix = cv2.getRotationMatrix2D(center, 12 * math.sin(3 * turn), scale)
    matrix[0, 2] += width * (0.5 + 0.10 * math.cos(turn)) - center[0]
    matrix[1, 2] += height * (0.5 + 0.06 * math.sin(turn)) - center[1]
    cell = cv2.warpAffine(_astronaut(), matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.convertScaleAbs(cell, alpha=1 + 0.2 * math.cos(2 * turn)), np.uint8)


@functools.cache
def _astronaut() -> ImageArray:
    return astronaut()


def _noisy(image: ImageArray, random: np.random.Generator) -> ImageArray:
    noise = NOISE * random.standard_normal(image.shape, dtype=np.float32)
    return np.asarray(np.clip(image + noise, 0, 255), np.uint8)


def _encoded(image: ImageArray) -> bytes:
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()
