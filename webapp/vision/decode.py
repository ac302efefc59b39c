"""Turns the bytes of one encoded picture into pixels, within limits that hold before any pixel is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from webapp.errors import BadFrameError, TooLargeError
from webapp.protocol import MAX_IMAGE_PIXELS, check_image_bytes
from webapp.vision.headers import read_size

SHRINKS = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}
"""By how much a picture can be shrunk while it is decoded; a JPEG is then decoded faster."""


class Decoded(NamedTuple):
    """A picture: (h, w, 3) uint8 BGR `pixels`, shrunk from `width` x `height`."""

    pixels: NDArray[np.uint8]
    width: int
    height: int

    @property
    def scale(self) -> float:
        """How many pixels of the whole picture one of `pixels` stands for."""
        return self.width / int(self.pixels.shape[1])


def decode(image: bytes, shrink: Callable[[int], int] = lambda shorter: 1) -> Decoded:
    """Decode a JPEG, PNG or WebP file; grey, 16-bit and transparent ones become plain BGR.

    Args:
        image: the file.
        shrink: tells from the shorter side of the picture by which of SHRINKS to shrink it.

    Returns:
        The picture after the turn that the file's EXIF orientation asks for.

    Raises:
        BadFrameError: the data is none of the three formats, cut off or damaged.
        TooLargeError: it has more than MAX_IMAGE_BYTES bytes or MAX_IMAGE_PIXELS pixels.
    """
    check_image_bytes(image)
    width, height = read_size(image)
    if width * height > MAX_IMAGE_PIXELS:
        raise TooLargeError(
            f"The picture has {width:,} x {height:,} pixels, at most {MAX_IMAGE_PIXELS:,} are taken; "
            "send it smaller."
        )
    by = shrink(min(width, height))
    pixels = _pixels(image, SHRINKS[by])
    for upright in ((width, height), (height, width)):  # the second where the EXIF turn is a quarter
        if _is_shrunk(pixels.shape[1], upright[0], by) and _is_shrunk(pixels.shape[0], upright[1], by):
            return Decoded(pixels, *upright)
    raise BadFrameError(
        f"The picture's header says {width:,} x {height:,} pixels and there are others; send it again."
    )


def _is_shrunk(decoded: int, stated: int, by: int) -> bool:
    """Whether a side of `stated` pixels can have come out as `decoded`, rounded up or down."""
    return abs(decoded * by - stated) < by


def _pixels(image: bytes, flag: int) -> NDArray[np.uint8]:
    try:
        pixels = cv2.imdecode(np.frombuffer(image, np.uint8), flag)
    except cv2.error:
        pixels = None
    if pixels is None:
        raise BadFrameError("The picture is damaged and cannot be decoded; send it again.")
    return np.asarray(pixels, np.uint8)
