"""Cuts turned squares out of a picture.

OpenCV 5.0.0 warps pictures of one and of four channels in a third of the time that it takes for three, so the
callers bring the part that they need to one or four channels before.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

ImageArray = NDArray[np.uint8]
Matrix = NDArray[np.float64]


def bounding_patch(image: ImageArray, matrix: Matrix, side: int, margin: int) -> tuple[ImageArray, Matrix]:
    """The upright part of a picture in which a cut of `side` x `side` pixels lies, and the cut's map to it.

    Args:
        image: (height, width) or (height, width, channels); the part is a view of it.
        matrix: (2, 3), from the cut to the picture, corner based.
        side: of the cut.
        margin: how many more pixels of the picture the part has on every side, where there are any.
    """
    xs, ys = (
        (start, start + across * side, start + down * side, start + (across + down) * side)
        for across, down, start in matrix.tolist()
    )
    height, width = image.shape[:2]
    left, right = _within(min(xs) - margin, max(xs) + margin, width)
    top, bottom = _within(min(ys) - margin, max(ys) + margin, height)
    moved = matrix.copy()
    moved[:, 2] -= (left, top)
    return image[top:bottom, left:right], moved


def warp_crop(part: ImageArray, matrix: Matrix, side: int) -> ImageArray:
    """The cut of `side` x `side` pixels; beyond the edge of the part its last pixels are repeated."""
    pixels = matrix.copy()
    pixels[:, 2] += 0.5 * (matrix[:, 0] + matrix[:, 1]) - 0.5  # OpenCV counts from a pixel's middle
    cut = cv2.warpAffine(
        part,
        pixels,
        (side, side),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(cut, np.uint8)


def _within(low: float, high: float, size: int) -> tuple[int, int]:
    """The whole pixels from `low` to `high` of a line of `size`; at least one, the nearest."""
    first = min(max(int(low), 0), size - 1)
    return first, max(min(int(high) + 1, size), first + 1)
