"""Makes image files whose parts contradict one another: a seeded generator, and single cases by hand.

Every file begins as a good one of 48 x 32 pixels. Its parts are then repeated, moved, hidden in one another
or given other sizes, so that readers of headers that are not alike see different images in it.
"""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PIL import Image

from tests.vision.images import astronaut

SIZE = (48, 32)
OTHER_SIZES = ((8, 8), (48, 33), (49, 32), (64, 64), (640, 480), (1500, 1200))
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

Parts = list[bytes]


def good_files() -> dict[str, bytes]:
    """Files of every kind that a browser or a program sends, by name."""
    source = Image.fromarray(np.ascontiguousarray(astronaut()[:, :, ::-1])).resize(SIZE)
    clear = source.convert("RGBA")
    clear.putalpha(128)
    return {
        "jpeg": _encoded(source, "JPEG", quality=60),
        "gray jpeg": _encoded(source.convert("L"), "JPEG", quality=60),
        "progressive jpeg": _encoded(source, "JPEG", quality=60, progressive=True),
        "restart jpeg": _encoded(source, "JPEG", quality=60, restart_marker_rows=1),
        "png": _encoded(source, "PNG"),
        "palette png": _encoded(source.convert("P"), "PNG"),
        "lossy webp": _encoded(source, "WEBP", quality=60),
        "lossless webp": _encoded(source, "WEBP", lossless=True),
        "extended webp": _encoded(clear, "WEBP", quality=60),
    }


def animated_files() -> dict[str, bytes]:
    """Moving images, whose frames have sizes of their own."""
    frames = [Image.new("RGB", SIZE, color) for color in ("red", "blue")]
    options: dict[str, Any] = {"save_all": True, "append_images": frames[1:], "duration": 100}
    return {
        "animated png": _encoded(frames[0], "PNG", **options),
        "animated webp": _encoded(frames[0], "WEBP", **options),
    }


def _encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def hostile_images(seed: int, count: int) -> list[bytes]:
    """So many changed files, the same for the same seed."""
    chance = random.Random(seed)
    files = list((good_files() | animated_files()).values())
    return [hostile_image(chance, chance.choice(files)) for _ in range(count)]


def hostile_image(chance: random.Random, image: bytes) -> bytes:
    """The file after one to three changes of its structure."""
    parts, join, changes = _format(image)
    for _ in range(chance.randint(1, 3)):
        chance.choice(changes)(chance, parts)
    return join(parts)


def _format(image: bytes) -> tuple[Parts, Callable[[Parts], bytes], Sequence[Callable[..., None]]]:
    if image.startswith(b"\xff\xd8"):
        return jpeg_parts(image), b"".join, (*ANY_FORMAT, *JPEG_CHANGES)
    if image.startswith(PNG_SIGNATURE):
        return png_parts(image), b"".join, (*ANY_FORMAT, *PNG_CHANGES)
    return webp_parts(image), riff, (*ANY_FORMAT, *WEBP_CHANGES)


# Changes of any format


def _repeat(chance: random.Random, parts: Parts) -> None:
    parts.insert(chance.randint(1, len(parts)), chance.choice(parts[1:]))


def _drop(chance: random.Random, parts: Parts) -> None:
    if len(parts) > 3:
        del parts[chance.randrange(1, len(parts))]


def _swap(chance: random.Random, parts: Parts) -> None:
    one, other = chance.randrange(1, len(parts)), chance.randrange(1, len(parts))
    parts[one], parts[other] = parts[other], parts[one]


def _change_bytes(chance: random.Random, parts: Parts) -> None:
    index = chance.randrange(1, len(parts))
    changed = bytearray(parts[index])
    for _ in range(chance.randint(1, 3)):
        changed[chance.randrange(min(len(changed), 30))] = chance.choice((0, 1, 255, chance.randrange(256)))
    parts[index] = bytes(changed)


ANY_FORMAT = (_repeat, _drop, _swap, _change_bytes)


# JPEG


def jpeg_parts(image: bytes) -> Parts:
    """Start of image, then segments, then all that follows the header of the first scan."""
    parts, position = [image[:2]], 2
    while True:
        (length,) = struct.unpack_from(">H", image, position + 2)
        parts.append(image[position : position + 2 + length])
        position += 2 + length
        if parts[-1][1] == 0xDA:
            return [*parts, image[position:]]


def _is_frame(part: bytes) -> bool:
    return part[:1] == b"\xff" and part[1:2] in (b"\xc0", b"\xc1", b"\xc2") and len(part) > 9


def _with_size(part: bytes, size: tuple[int, int]) -> bytes:
    return part[:5] + struct.pack(">HH", size[1], size[0]) + part[9:] if _is_frame(part) else part


def hidden_header(parts: Parts, marker: int, size: tuple[int, int]) -> bytes:
    """A segment of this marker whose content is a whole header with another size.

    Who skips the segment does not see it; who takes the marker for nothing reads on within.
    """
    inside = b"".join(
        _with_size(part, size) for part in parts[1:-1] if not b"\xe0" <= part[1:2] <= b"\xef"
    ) + bytes(4)
    return bytes([0xFF, marker]) + struct.pack(">H", (2 + len(inside)) & 0xFFFF) + inside


def _hide_header(chance: random.Random, parts: Parts) -> None:
    marker = chance.choice((0x00, 0x01, 0xD0, 0xD8, 0xD9, 0xDC, 0xF0, 0xFD, chance.randrange(256)))
    place = chance.randint(1, max(1, len(parts) - 2))
    parts.insert(place, hidden_header(parts, marker, chance.choice(OTHER_SIZES)))


def _second_frame(chance: random.Random, parts: Parts) -> None:
    frames = [part for part in parts if _is_frame(part)]
    if frames:
        parts.insert(chance.randint(1, len(parts)), _with_size(frames[0], chance.choice(OTHER_SIZES)))


def _other_frame_kind(chance: random.Random, parts: Parts) -> None:
    for index, part in enumerate(parts):
        if _is_frame(part):
            parts[index] = b"\xff" + bytes([chance.randrange(0xC0, 0xD0)]) + part[2:]


def _stray_bytes(chance: random.Random, parts: Parts) -> None:
    strays = (
        b"\xff",
        b"\xff\x00",
        b"\x00",
        b"\xff\xd8",
        b"\xff\xd9",
        b"\xff\xd3",
        b"\xff\x01",
        b"\xff\xff\x00\x04",
    )
    parts.insert(chance.randint(1, len(parts)), chance.choice(strays))


def _other_length(chance: random.Random, parts: Parts) -> None:
    index = chance.randrange(1, len(parts))
    part = parts[index]
    if len(part) >= 4:
        (length,) = struct.unpack_from(">H", part, 2)
        length = chance.choice((0, 1, 2, 3, length - 1, length + 1, length + 19, 65535)) & 0xFFFF
        parts[index] = part[:2] + struct.pack(">H", length) + part[4:]


JPEG_CHANGES = (_hide_header, _hide_header, _second_frame, _other_frame_kind, _stray_bytes, _other_length)


# PNG


def png_parts(image: bytes) -> Parts:
    """The signature, then chunks."""
    parts, position = [image[:8]], 8
    while position < len(image):
        (length,) = struct.unpack_from(">I", image, position)
        parts.append(image[position : position + 12 + length])
        position += 12 + length
    return parts


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """A whole chunk with its length and checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png_header(size: tuple[int, int], extra: bytes = b"") -> bytes:
    return png_chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0) + extra)


def _second_png_header(chance: random.Random, parts: Parts) -> None:
    extra = chance.choice((b"", b"", b"x"))
    parts.insert(chance.randint(1, len(parts)), _png_header(chance.choice(OTHER_SIZES), extra))


def _png_frame(chance: random.Random, parts: Parts) -> None:
    """A part of an animated PNG with a size of its own."""
    size = chance.choice(OTHER_SIZES)
    control = png_chunk(b"fcTL", struct.pack(">IIIIIHHBB", chance.randint(0, 1), *size, 0, 0, 1, 10, 0, 0))
    rows = zlib.compress(bytes((3 * size[0] + 1) * size[1]))
    parts.insert(2, png_chunk(b"acTL", struct.pack(">II", chance.randint(1, 2), 0)))
    place = chance.randint(3, len(parts))
    parts[place:place] = [control, png_chunk(b"fdAT", struct.pack(">I", 1) + rows)]


def _png_length(chance: random.Random, parts: Parts) -> None:
    index = chance.randrange(1, len(parts))
    (length,) = struct.unpack_from(">I", parts[index].ljust(4, b"\0"))
    length = chance.choice((0, max(0, length - 1), length + 1, 0xFFFF_FFF0, 0x7FFF_FFFF))
    parts[index] = struct.pack(">I", length) + parts[index][4:]


PNG_CHANGES = (_second_png_header, _second_png_header, _png_frame, _png_length)


# WebP


def webp_parts(image: bytes) -> Parts:
    """Nothing, then chunks with their padding."""
    parts, position = [b""], 12
    while position < len(image):
        (length,) = struct.unpack_from("<I", image, position + 4)
        end = position + 8 + length + length % 2
        parts.append(image[position:end])
        position = end
    return parts


def riff(parts: Parts) -> bytes:
    """The chunks as a WebP file."""
    content = b"WEBP" + b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(content)) + content


def webp_chunk(kind: bytes, data: bytes) -> bytes:
    """A whole chunk with its length and padding."""
    return kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


def canvas(size: tuple[int, int], flags: int = 0) -> bytes:
    """The chunk VP8X: the size of an extended file; flag 2 says that it is animated."""
    sides = b"".join((side - 1).to_bytes(3, "little") for side in size)
    return webp_chunk(b"VP8X", bytes([flags]) + bytes(3) + sides)


def _add_canvas(chance: random.Random, parts: Parts) -> None:
    flags = chance.choice((0, 0x02, 0x10, 0x12))
    size = chance.choice((*OTHER_SIZES, SIZE))
    parts.insert(chance.choice((1, 1, 1, len(parts))), canvas(size, flags))


def _other_frame(chance: random.Random, parts: Parts) -> None:
    """A second image in the file, of another size."""
    size = chance.choice(OTHER_SIZES)
    other = webp_parts(_encoded(Image.new("RGB", size), "WEBP", lossless=chance.random() < 0.5))[1]
    parts.insert(chance.randint(1, len(parts)), other)


def _animate(chance: random.Random, parts: Parts) -> None:
    """Wrap the image as a frame of an animation with a size of its own."""
    size = chance.choice((*OTHER_SIZES, SIZE))
    sides = b"".join((side - 1).to_bytes(3, "little") for side in size)
    frame = bytes(6) + sides + bytes(4) + parts[-1]
    parts[1:] = [
        canvas(chance.choice((*OTHER_SIZES, SIZE)), 2),
        webp_chunk(b"ANIM", bytes(6)),
        webp_chunk(b"ANMF", frame),
    ]


def _webp_length(chance: random.Random, parts: Parts) -> None:
    index = chance.randrange(1, len(parts))
    part = parts[index].ljust(8, b"\0")
    (length,) = struct.unpack_from("<I", part, 4)
    length = chance.choice((0, max(0, length - 1), length + 1, length + 2, 0xFFFF_FFF0))
    parts[index] = part[:4] + struct.pack("<I", length) + part[8:]


WEBP_CHANGES = (_add_canvas, _add_canvas, _other_frame, _animate, _webp_length)
