"""Images with known answers, made from NASA's portrait of Eileen Collins, 512 x 512, one smiling face.

Positions were read off the image at six times its size; boxes are x, y, width, height in pixels.
"""

from __future__ import annotations

import cv2
import numpy as np
import skimage.data
from matplotlib import get_data_path
from numpy.typing import NDArray

from webapp.protocol import Box

ImageArray = NDArray[np.uint8]

FACE = Box(174, 68, 99, 107)
"""From temple to temple and from the hair line to the chin."""

KNOWN_POINTS = {
    33: (194, 101),  # right eye, outer corner
    133: (213, 103),
    362: (237, 104),
    263: (256, 103),  # left eye, outer corner
    1: (224, 129),  # tip of the nose
    61: (200, 139),  # right corner of the mouth
    291: (247, 141),
    152: (222, 175),  # chin
}

WITHOUT_FACES = ("coffee", "rocket", "brick", "text", "moon", "hubble_deep_field", "chelsea")


def astronaut() -> ImageArray:
    return shipped("astronaut")


def grace_hopper() -> ImageArray:
    """A portrait by the US Navy (public domain) that ships with Matplotlib: one serious face, 512 x 600."""
    return np.asarray(cv2.imread(f"{get_data_path()}/sample_data/grace_hopper.jpg"), np.uint8)


def shipped(name: str) -> ImageArray:
    """One of scikit-image's images, in BGR; WITHOUT_FACES names some that show no human face."""
    image = getattr(skimage.data, name)()
    code = cv2.COLOR_GRAY2BGR if image.ndim == 2 else cv2.COLOR_RGB2BGR
    return np.asarray(cv2.cvtColor(image, code), np.uint8)


def mirrored(image: ImageArray) -> ImageArray:
    return np.ascontiguousarray(image[:, ::-1])


def turned_clockwise(image: ImageArray, degrees: float) -> tuple[ImageArray, NDArray[np.float64]]:
    """The image turned about the center of the face, and the (2, 3) map of pixels that did it."""
    center = (FACE.x + FACE.width / 2, FACE.y + FACE.height / 2)
    matrix = cv2.getRotationMatrix2D(center, -degrees, 1.0)
    height, width = image.shape[:2]
    turned = cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return turned.astype(np.uint8), matrix.astype(np.float64)


def moved(points: NDArray[np.float32], matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 2) points of an image after the map that moved its pixels."""
    centers = points - 0.5  # OpenCV counts from the center of the first pixel
    return np.asarray(centers @ matrix[:, :2].T + matrix[:, 2] + 0.5)


def frame(*faces: tuple[int, int, int]) -> tuple[ImageArray, list[Box]]:
    """A gray 640 x 480 frame with faces (x, y, width), and their boxes; each stands in its own image."""
    canvas: ImageArray = np.full((480, 640, 3), 120, np.uint8)
    boxes = []
    for x, y, width in faces:
        scale = width / FACE.width
        part = cv2.resize(
            astronaut()[20:220, 120:330], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA
        )
        left, top = x - round((FACE.x - 120) * scale), y - round((FACE.y - 20) * scale)
        canvas[top : top + part.shape[0], left : left + part.shape[1]] = part
        boxes.append(Box(x, y, width, FACE.height * scale))
    return canvas, boxes


def overlap(one: Box, other: Box) -> float:
    """Intersection over union."""
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    shared = max(0.0, width) * max(0.0, height)
    return shared / (one.width * one.height + other.width * other.height - shared)
