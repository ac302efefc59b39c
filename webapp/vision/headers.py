"""Reads the size of an encoded image from its structure, and checks that it is complete.

The bytes come from anyone. So nothing is decoded here, every read is bounded by the length of the data, and
only `BadFrameError` is raised. What is accepted must mean the same to the decoder: a file that the two read
in different ways could make it allocate gigabytes, or read memory that is not its own. So whatever is not
known to be read alike is rejected rather than skipped. The three formats:

    JPEG   FF D8, then segments FF type length...; one start of frame has the size; after a start of scan
           (FF DA) come the pixels; the end is FF D9                            (ITU-T T.81, annex B)
    PNG    signature, then chunks length type data checksum: IHDR has the size, IEND ends (W3C PNG, 5)
    WebP   "RIFF" length "WEBP", then one chunk VP8 or VP8L with the size, or VP8X with the size, and among
           the chunks after it VP8 or VP8L with the same                        (RFC 9649, 2)

A differential fuzz test compares this with OpenCV's decoder.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from webapp.errors import BadFrameError

JPEG_START, JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"
PNG_START = b"\x89PNG\r\n\x1a\n"

START_OF_FRAME = frozenset({0xC0, 0xC1, 0xC2})
"""Baseline, extended and progressive; the decoder knows no other kind with Huffman codes."""

START_OF_SCAN = 0xDA
NEXT_SCAN = bytes([0xFF, START_OF_SCAN])
TABLES_AND_TEXT = frozenset({0xC4, 0xDB, 0xDD, *range(0xE0, 0xF0), 0xFE})
"""Segments that may precede the scan: Huffman and quantization tables, restart interval, APP0 to 15 and
comment. libjpeg fails on most others; it ignores FF 00, and reads on within what looks like a segment."""

MAX_SCANS = 100
"""A progressive JPEG has about ten scans. Each covers all pixels, so a forged file could take minutes."""

PNG_HEADER_BYTES = 13
PNG_ANIMATION = frozenset({b"acTL", b"fcTL", b"fdAT"})
"""Chunks of animation frames, which have sizes of their own; out of order they crash OpenCV 5.0."""

PNG_CRITICAL = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})
MAX_COMPRESSED_TEXT_BYTES = 16_000
"""libpng unpacks all texts, to a thousand times their size: 1.5 MB of them take 15 s, this limit 0.15 s."""

VP8_SIGNATURE, VP8L_SIGNATURE = b"\x9d\x01\x2a", 0x2F
WEBP_FRAMES = frozenset({b"VP8 ", b"VP8L"})
WEBP_ANIMATION = frozenset({b"ANIM", b"ANMF"})
WEBP_ANIMATED = 0x02
"""The flag of VP8X."""


class Size(NamedTuple):
    """The size of an image in pixels, before its EXIF rotation."""

    width: int
    height: int


def read_size(image: bytes) -> Size:
    """The size in the header of a complete JPEG, PNG or WebP file.

    Raises:
        BadFrameError: the data is none of the three, is truncated, or states no size.
    """
    try:
        size = _size_by_format(image)
    except (struct.error, IndexError, ValueError, StopIteration):  # the data ends within its header
        raise _truncated() from None
    if size.width < 1 or size.height < 1:
        raise BadFrameError(
            f"The image's header says {size.width} x {size.height} pixels; send one that is not empty."
        )
    return size


def _size_by_format(image: bytes) -> Size:
    if image.startswith(JPEG_START):
        return _jpeg_size(image)
    if image.startswith(PNG_START):
        return _png_size(image)
    if image.startswith(b"RIFF") and image[8:12] == b"WEBP":
        return _webp_size(image)
    raise BadFrameError("The data is not a readable image; send a JPEG, PNG or WebP file.")


def _jpeg_size(image: bytes) -> Size:
    size = None
    position = 2
    while True:
        marker_at = _after_padding(image, position)
        marker = image[marker_at]
        (length,) = struct.unpack_from(">H", image, marker_at + 1)
        if marker in START_OF_FRAME and size is None:
            height, width = struct.unpack_from(">HH", image, marker_at + 4)
            size = Size(width, height)
        elif marker not in TABLES_AND_TEXT and marker != START_OF_SCAN:
            raise _damaged("JPEG", f"a misplaced segment FF {marker:02X}")
        if length < 2:
            raise _damaged("JPEG", f"a segment of {length} bytes")
        position = marker_at + 1 + length
        if marker == START_OF_SCAN:
            break
    # FF never precedes D9 within the pixels, so an end after them is the end of the image.
    if image.rfind(JPEG_END, position) < 0:
        raise _truncated()
    if size is None or image.count(NEXT_SCAN, position) >= MAX_SCANS:
        raise BadFrameError("The JPEG states no size, or has too many scans; send it again.")
    return size


def _after_padding(image: bytes, position: int) -> int:
    """The position of the segment's type, after FF, which may be repeated."""
    if image[position] != 0xFF:
        raise _damaged("JPEG", "other bytes between its segments")
    while image[position] == 0xFF:
        position += 1
    return position


def _png_size(image: bytes) -> Size:
    size, compressed_text = None, 0
    for kind, start, length in _png_chunks(image):
        if (kind == b"IHDR") != (size is None) or kind in PNG_ANIMATION:
            raise _damaged("PNG", "no header at its start, a second one, or more than one frame")
        if size is None:
            if length != PNG_HEADER_BYTES:
                raise _damaged("PNG", f"a header of {length} bytes")
            size = Size(*struct.unpack_from(">II", image, start))
        if kind[0] < ord("a") and kind not in PNG_CRITICAL:
            raise _damaged("PNG", "a chunk that no image needs")
        if kind == b"zTXt" or (kind == b"iTXt" and _is_compressed(image, start)):
            compressed_text += length
    if size is None or compressed_text > MAX_COMPRESSED_TEXT_BYTES:
        raise _damaged("PNG", "too much compressed text")
    return size


def _png_chunks(image: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The type, start and length of each chunk's data, up to IEND."""
    position, kind = len(PNG_START), b""
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", image, position)
        yield kind, position + 8, length
        position += 12 + length
    if position > len(image):
        raise _truncated()


def _is_compressed(image: bytes, start: int) -> bool:
    """Whether the international text at `start`, which begins with a keyword and a zero, is compressed."""
    return image[image.index(0, start) + 1] != 0


def _webp_size(image: bytes) -> Size:
    (length,) = struct.unpack_from("<I", image, 4)
    if len(image) < 8 + length:
        raise _truncated()
    chunks = _webp_chunks(image[: 8 + length])
    kind, start = next(chunks)
    if kind != b"VP8X":
        return _webp_frame_size(image, kind, start)
    canvas = Size(*(1 + int.from_bytes(_exactly(image, start + at, 3), "little") for at in (4, 7)))
    if image[start] & WEBP_ANIMATED:
        raise _damaged("WebP", "more than one frame")
    for kind, start in chunks:
        if kind in WEBP_FRAMES:
            frame = _webp_frame_size(image, kind, start)
            if frame != canvas:
                raise _damaged("WebP", "a frame of another size than it says")
            return canvas
        if kind in WEBP_ANIMATION:
            raise _damaged("WebP", "more than one frame")
    raise _damaged("WebP", "no frame")


def _webp_chunks(image: bytes) -> Iterator[tuple[bytes, int]]:
    """The type of each chunk, and the start of its data."""
    position = 12
    while position < len(image):
        kind, length = struct.unpack_from("<4sI", image, position)
        yield kind, position + 8
        position += 8 + length + length % 2


def _webp_frame_size(image: bytes, kind: bytes, start: int) -> Size:
    if kind == b"VP8L":
        signature, bits = struct.unpack_from("<BI", image, start)
        if signature == VP8L_SIGNATURE:
            return Size(1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
    elif kind == b"VP8 ":
        signature, width, height = struct.unpack_from("<3x3sHH", image, start)
        if signature == VP8_SIGNATURE:
            return Size(width & 0x3FFF, height & 0x3FFF)
    raise BadFrameError("The WebP does not begin with an image; send it again, or a JPEG.")


def _exactly(image: bytes, start: int, count: int) -> bytes:
    data = image[start : start + count]
    if len(data) < count:
        raise _truncated()
    return data


def _truncated() -> BadFrameError:
    return BadFrameError("The image is truncated: its end is missing. Send the complete file.")


def _damaged(kind: str, what: str) -> BadFrameError:
    return BadFrameError(f"The {kind} is damaged: it has {what}. Send a plain still image.")
