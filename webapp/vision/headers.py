"""Reads the size of an encoded picture from its first bytes, and whether its last ones are there.

The bytes come from anyone. So nothing is decoded here, every read is bounded by the length of the data, and
`BadFrameError` is all that can be raised. The three formats:

    JPEG   FF D8, then segments FF type length...; a start of frame (FF C0..CF, less C4 C8 CC) has the size;
           after a start of scan (FF DA) come the pixels; the end is FF D9      (ITU-T T.81, annex B)
    PNG    signature, then chunks length type data checksum: IHDR has the size, IEND ends (W3C PNG, 5)
    WebP   "RIFF" length "WEBP", then a chunk VP8, VP8L or VP8X with the size   (RFC 9649, 2)
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from webapp.errors import BadFrameError

JPEG_START, JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"
PNG_START = b"\x89PNG\r\n\x1a\n"
START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
START_OF_SCAN = 0xDA
NEXT_SCAN = bytes([0xFF, START_OF_SCAN])
WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
"""JPEG markers that stand alone: TEM, restart 0 to 7 and start of image."""

MAX_SCANS = 100
"""A progressive JPEG has about ten scans. Each goes over all pixels, so a forged one could take minutes."""


class Size(NamedTuple):
    """The size of a picture in pixels, before its EXIF turn."""

    width: int
    height: int


def read_size(image: bytes) -> Size:
    """The size that the header of a whole JPEG, PNG or WebP file states.

    Raises:
        BadFrameError: the data is none of the three, is cut off, or states no size.
    """
    try:
        size = _size_by_format(image)
    except (struct.error, IndexError):  # the data ends within its header
        raise _truncated() from None
    if size.width < 1 or size.height < 1:
        raise BadFrameError(
            f"The picture's header says {size.width} x {size.height} pixels; send one that has some."
        )
    return size


def _size_by_format(image: bytes) -> Size:
    if image.startswith(JPEG_START):
        return _jpeg_size(image)
    if image.startswith(PNG_START):
        return _png_size(image)
    if image.startswith(b"RIFF") and image[8:12] == b"WEBP":
        return _webp_size(image)
    raise BadFrameError("The data is not a picture that can be read; send a JPEG, PNG or WebP file.")


def _jpeg_size(image: bytes) -> Size:
    size = None
    position = 2
    while True:
        if image[position] != 0xFF:
            raise BadFrameError("The JPEG's segments are damaged; send the picture again.")
        marker = image[position + 1]
        if marker == 0xFF or marker in WITHOUT_LENGTH:  # FF before a marker is padding
            position += 1 if marker == 0xFF else 2
            continue
        (length,) = struct.unpack_from(">H", image, position + 2)
        if marker in START_OF_FRAME:
            height, width = struct.unpack_from(">HH", image, position + 5)
            size = Size(width, height)
        position += 2 + max(2, length)
        if marker == START_OF_SCAN:
            break
    # FF never stands before D9 within the pixels, so an end after them is the end of the picture.
    if image.rfind(JPEG_END, position) < 0:
        raise _truncated()
    if size is None or image.count(NEXT_SCAN, position) >= MAX_SCANS:
        raise BadFrameError("The JPEG states no size, or has too many scans; send it again.")
    return size


def _png_size(image: bytes) -> Size:
    kind, width, height = struct.unpack_from(">4sII", image, len(PNG_START) + 4)
    if kind != b"IHDR":
        raise BadFrameError("The PNG does not begin with its header; send the picture again.")
    position = len(PNG_START)
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", image, position)
        position += 12 + length
    if position > len(image):
        raise _truncated()
    return Size(width, height)


def _webp_size(image: bytes) -> Size:
    (length,) = struct.unpack_from("<I", image, 4)
    if len(image) < 8 + length:
        raise _truncated()
    kind = image[12:16]
    if kind == b"VP8X":
        return Size(*(1 + int.from_bytes(_exactly(image, at, 3), "little") for at in (24, 27)))
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", image, 21)
        return Size(1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", image, 26)
        return Size(width & 0x3FFF, height & 0x3FFF)
    raise BadFrameError("The WebP begins with no picture; send it again, or a JPEG.")


def _exactly(image: bytes, start: int, count: int) -> bytes:
    part = image[start : start + count]
    if len(part) < count:
        raise _truncated()
    return part


def _truncated() -> BadFrameError:
    return BadFrameError("The picture is cut off: its end is missing. Send the whole file.")
