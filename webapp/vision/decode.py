"""Turns the bytes of one encoded picture into pixels, within limits that hold before any pixel is made."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from webapp.errors import BadFrameError, TooLargeError
from webapp.messages import check_image_bytes
from webapp.vision.headers import read_size

MAX_IMAGE_PIXELS = 4_000_000


def decode(image: bytes) -> NDArray[np.uint8]:
    """Decode a JPEG, PNG or WebP file; grey, 16-bit and transparent ones become plain BGR.

    Returns:
        (height, width, 3) uint8, BGR, after the turn that the file's EXIF orientation asks for.

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
    return _pixels(image)


def _pixels(image: bytes) -> NDArray[np.uint8]:
    try:
        pixels = cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        pixels = None
    if pixels is None:
        raise BadFrameError("The picture is damaged and cannot be decoded; send it again.")
    return np.asarray(pixels, np.uint8)
