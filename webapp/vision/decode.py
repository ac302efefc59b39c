"""Decodes the bytes of one image into pixels, within limits that are checked before any pixel is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from webapp.errors import BadFrameError, TooLargeError
from webapp.protocol import LIVE_LIMITS, MAX_SIDE, ImageLimits, check_image_bytes
from webapp.vision.headers import read_size

SHRINKS = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}
"""The factors by which an image can be shrunk while it is decoded, which is faster for a JPEG."""


class Decoded(NamedTuple):
    """An image: (h, w, 3) uint8 BGR `pixels`, shrunk from `width` x `height`."""

    pixels: NDArray[np.uint8]
    width: int
    height: int

    @property
    def scale(self) -> float:
        """The number of pixels of the full image per pixel of `pixels`."""
        return self.width / int(self.pixels.shape[1])


def decode(
    image: bytes, shrink: Callable[[int], int] = lambda shorter: 1, limits: ImageLimits = LIVE_LIMITS
) -> Decoded:
    """Decode a JPEG, PNG or WebP file; gray, 16-bit and transparent ones become plain BGR.

    Args:
        image: the file.
        shrink: maps the shorter side of the image to one of the factors in SHRINKS.
        limits: how large the file and the image may be; checked before any pixel is made.

    Returns:
        The image, rotated as the file's EXIF orientation says.

    Raises:
        BadFrameError: the data is none of the three formats, truncated or damaged.
        TooLargeError: it has more bytes or pixels than the limits allow.
    """
    check_image_bytes(image, limits.max_bytes)
    width, height = read_size(image)
    if width * height > limits.max_pixels:
        raise TooLargeError(
            f"The image has {width:,} x {height:,} pixels; at most {limits.max_pixels:,} are accepted. "
            "Send a smaller one."
        )
    if max(width, height) > MAX_SIDE:
        raise TooLargeError(
            f"The image has {width:,} x {height:,} pixels; at most {MAX_SIDE:,} each way are accepted. "
            "Send a part of it."
        )
    factor = shrink(min(width, height))
    pixels = _pixels(image, SHRINKS[factor])
    for upright in ((width, height), (height, width)):  # the second if EXIF rotates it by 90 degrees
        if _is_shrunk(pixels.shape[1], upright[0], factor) and _is_shrunk(
            pixels.shape[0], upright[1], factor
        ):
            return Decoded(pixels, *upright)
    raise BadFrameError(
        f"The image's header says {width:,} x {height:,} pixels, but it has another size; send it again."
    )


def _is_shrunk(decoded: int, stated: int, factor: int) -> bool:
    """Whether a side of `stated` pixels may be decoded to `decoded`, rounded up or down."""
    return abs(decoded * factor - stated) < factor


def _pixels(image: bytes, flag: int) -> NDArray[np.uint8]:
    try:
        pixels = cv2.imdecode(np.frombuffer(image, np.uint8), flag)
    except cv2.error:
        pixels = None
    if pixels is None:
        raise BadFrameError("The image is damaged and cannot be decoded; send it again.")
    return np.asarray(pixels, np.uint8)
