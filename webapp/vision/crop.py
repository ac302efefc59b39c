"""Crops rotated squares from an image.

OpenCV 5.0.0 warps images of one or four channels in a third of the time that it takes for three, so the patch
that is needed gets one or four channels first, unless it is so large that this takes longer.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

MAX_CONVERTED = 4
"""A patch of more than so many times the pixels of its crop is warped as it is: that takes 0.4 to 1 ms. To
convert one of 2 megapixels, as of a large face in a photograph, takes 20 ms, one of 10 megapixels 100 ms."""

ImageArray = NDArray[np.uint8]
Matrix = NDArray[np.float64]


def bounding_patch(image: ImageArray, matrix: Matrix, side: int, margin: int) -> tuple[ImageArray, Matrix]:
    """The upright patch of an image that contains a crop of `side` x `side` pixels, and the crop's map to it.

    Args:
        image: (height, width) or (height, width, channels); the patch is a view of it.
        matrix: (2, 3), from the crop to the image, corner based.
        side: of the crop.
        margin: additional pixels on every side of the patch, where the image has them.
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


def warp_crop(patch: ImageArray, matrix: Matrix, side: int) -> ImageArray:
    """The crop of `side` x `side` pixels; beyond the edge of the patch the edge pixels are repeated."""
    pixels = matrix.copy()
    pixels[:, 2] += 0.5 * (matrix[:, 0] + matrix[:, 1]) - 0.5  # OpenCV counts from a pixel's center
    crop = cv2.warpAffine(
        patch,
        pixels,
        (side, side),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(crop, np.uint8)


def warp_color_crop(patch: ImageArray, matrix: Matrix, side: int) -> ImageArray:
    """The same of a (height, width, 3) BGR patch; the crop is (side, side, 3) RGB."""
    if patch.shape[0] * patch.shape[1] > MAX_CONVERTED * side * side:
        return np.asarray(cv2.cvtColor(warp_crop(patch, matrix, side), cv2.COLOR_BGR2RGB), np.uint8)
    bgra = np.asarray(cv2.cvtColor(patch, cv2.COLOR_BGR2BGRA), np.uint8)
    return np.asarray(cv2.cvtColor(warp_crop(bgra, matrix, side), cv2.COLOR_BGRA2RGB), np.uint8)


def _within(low: float, high: float, size: int) -> tuple[int, int]:
    """The whole pixels from `low` to `high`, within 0 to `size`; at least the nearest one."""
    first = min(max(int(low), 0), size - 1)
    return first, max(min(int(high) + 1, size), first + 1)
