"""Cuts a face so that every face lies alike; training and serving both cut with this module.

A picture that is nothing but a face, like FER2013's, needs no detector: enlarge it to 144 pixels with a
margin of 24, take the landmarks in the square of 1.3 times its side around its middle, and once more in
`region_from_landmarks`. That gave a face (score over 0.5) in 96% of 480 FER2013 faces; the full-range
detector, made for faces that are a small part of a picture, finds 63% of them.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from webapp.vision.crop import bounding_patch, warp_crop

CROP_SIZE = 48
"""The side of a crop in pixels, as FER2013's."""

RIGHT_EYE, LEFT_EYE, MOUTH = (33, 133), (263, 362), (61, 291)
"""Each is the middle of its two corners in the face mesh; right and left are the person's own."""

TARGETS = np.array([0.315 + 0.390j, 0.685 + 0.390j, 0.500 + 0.755j])
"""Where the right eye, the left eye and the mouth come to lie, x + y j in parts of the crop's side.

The medians over 619 faces of 1,000 drawn from FER2013 (0.313 + 0.395j, 0.684 + 0.395j, 0.500 + 0.755j),
made symmetric, so that an aligned crop shows as much of a face as FER2013's own crops do.
"""

MAX_OVERSAMPLING = 4


def align(image: NDArray[np.uint8], points: NDArray[np.float32], size: int = CROP_SIZE) -> NDArray[np.uint8]:
    """Cut the face with these landmarks, turned upright and scaled so that eyes and mouth lie as in TARGETS.

    Args:
        image: (height, width, 3) BGR or (height, width) grey, uint8.
        points: (468, 2) face mesh in pixels of the picture.
        size: the side of the crop in pixels.

    Returns:
        (size, size) grey uint8; beyond the edge of the picture its last pixels are repeated.
    """
    # Bilinear sampling alone skips pixels where it shrinks a face: shrink a large one by means before, and
    # cut finer and take means after.
    part, matrix = _shrunk(image, crop_matrix(points, size), size)
    finer = min(MAX_OVERSAMPLING, max(1, math.ceil(_scale(matrix))))
    matrix[:, :2] /= finer
    cut = warp_crop(part, matrix, size * finer)
    small = cut if finer == 1 else cv2.resize(cut, (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def _shrunk(
    image: NDArray[np.uint8], matrix: NDArray[np.float64], size: int
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The part of the picture that the crop shows, grey, and the crop's map to it.

    It is shrunk by the power of two that leaves it at most twice as fine as the crop.
    """
    by = 2 ** int(math.log2(max(1.0, _scale(matrix))))
    part, matrix = bounding_patch(image, matrix, size, margin=2 * by)
    grey = np.asarray(cv2.cvtColor(part, cv2.COLOR_BGR2GRAY) if part.ndim == 3 else part, np.uint8)
    height, width = grey.shape[0] // by, grey.shape[1] // by
    if by == 1 or width == 0 or height == 0:
        return grey, matrix
    whole = grey[: height * by, : width * by]
    return np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA), np.uint8), matrix / by


def _scale(matrix: NDArray[np.float64]) -> float:
    """How many pixels of the picture one of the crop stands for."""
    return math.hypot(*matrix[:, 0].tolist())


def crop_matrix(points: NDArray[np.float32], size: int) -> NDArray[np.float64]:
    """The (2, 3) similarity from the crop to the picture that fits eyes and mouth best in least squares.

    With points as complex numbers a similarity is picture = turn * crop + shift, and the best turn is a
    plain regression (Umeyama 1991 in the plane, without a reflection).
    """
    found = np.array([points[list(pair)].mean(axis=0) for pair in (RIGHT_EYE, LEFT_EYE, MOUTH)], np.float64)
    picture, crop = found[:, 0] + 1j * found[:, 1], TARGETS * size
    picture_middle, crop_middle = picture.mean(), crop.mean()
    centred = crop - crop_middle
    turn = np.vdot(centred, picture - picture_middle) / np.vdot(centred, centred)
    shift = picture_middle - turn * crop_middle
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])
