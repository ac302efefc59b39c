"""Images that are damaged, spliced, or claim what is not so."""

from __future__ import annotations

import functools
import random
import struct
import zlib
from collections.abc import Callable

import cv2
import numpy as np

from tests.helpers.attacks import hidden_header_jpeg
from tests.vision import hostile_images
from tests.vision.images import astronaut

HUGE_SIDES = (0, 1, 2_000, 4_096, 16_383, 20_000, 65_535, 1 << 24, (1 << 31) - 1, (1 << 32) - 1)


@functools.cache
def good_files() -> tuple[bytes, ...]:
    """Files that a server takes: small ones of every kind, and a face in each of the formats."""
    face = cv2.resize(astronaut(), (240, 240), interpolation=cv2.INTER_AREA)
    faces = [cv2.imencode(ending, face)[1].tobytes() for ending in (".jpg", ".png", ".webp")]
    return (*good_kinds().values(), *hostile_images.animated_files().values(), *faces)


@functools.cache
def good_kinds() -> dict[str, bytes]:
    """Small files of every kind, by name."""
    return hostile_images.good_files()


def any_image(chance: random.Random) -> bytes:
    """A good file, a damaged one, or no image at all; never empty."""
    return chance.choice((chance.choice(good_files()), damaged(chance), b"x"))


def damaged(chance: random.Random) -> bytes:
    """A file after one to three changes of its bytes or of its structure; never empty."""
    image = chance.choice(good_files())
    for _ in range(chance.randint(1, 3)):
        image = chance.choice(CHANGES)(chance, image)
    return image or b"\0"


def _structure(chance: random.Random, image: bytes) -> bytes:
    try:
        return hostile_images.hostile_image(chance, image)
    except (struct.error, IndexError, ValueError):  # an earlier change left no structure to change
        return image


def _flip(chance: random.Random, image: bytes) -> bytes:
    changed = bytearray(image)
    for _ in range(chance.choice((1, 1, 2, 8, 64))):
        if changed:
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _flip_head(chance: random.Random, image: bytes) -> bytes:
    head = min(64, len(image))
    return _flip(chance, image[:head]) + image[head:]


def _truncate(chance: random.Random, image: bytes) -> bytes:
    return image[: chance.randrange(len(image))] if image else image


def _splice(chance: random.Random, image: bytes) -> bytes:
    other = chance.choice(good_files())
    return image[: chance.randrange(len(image) + 1)] + other[chance.randrange(len(other)) :]


def _swap(chance: random.Random, image: bytes) -> bytes:
    one, two, three = sorted(chance.randrange(len(image) + 1) for _ in range(3))
    return image[:one] + image[two:three] + image[one:two] + image[three:]


def _fill(chance: random.Random, image: bytes) -> bytes:
    place, count = chance.randrange(len(image) + 1), chance.choice((1, 16, 700))
    filler = chance.choice((b"\0", b"\xff", chance.randbytes(1))) * count
    return image[:place] + filler + image[place + chance.choice((0, count)) :]


CHANGES: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    *(_structure, _structure, _flip, _flip_head, _truncate, _splice, _swap, _fill),
)


def bomb(chance: random.Random) -> bytes:
    """A small file that a careless decoder would spend gigabytes or minutes on."""
    return chance.choice(BOMBS)(chance)


def _side(chance: random.Random) -> int:
    return chance.choice(HUGE_SIDES)


def _png_of_a_size(chance: random.Random) -> bytes:
    header = struct.pack(">IIBBBBB", _side(chance), _side(chance), *_png_format(chance))
    return _png(hostile_images.png_chunk(b"IHDR", header), zlib.compress(bytes(chance.randrange(100))))


def _png_format(chance: random.Random) -> tuple[int, ...]:
    return chance.choice((1, 8, 16, 255)), chance.choice((0, 2, 3, 6, 99)), 0, 0, chance.choice((0, 1, 9))


def _png(header: bytes, deflated: bytes, *chunks: bytes) -> bytes:
    data = hostile_images.png_chunk(b"IDAT", deflated)
    end = hostile_images.png_chunk(b"IEND", b"")
    return b"".join([hostile_images.PNG_SIGNATURE, header, *chunks, data, end])


def _deflated(chance: random.Random) -> bytes:
    """A PNG as large as is taken, or with far more rows than it states, in some kilobytes."""
    header = struct.pack(">IIBBBBB", 2000, chance.choice((10, 2000)), 8, 2, 0, 0, 0)
    return _png(hostile_images.png_chunk(b"IHDR", header), _deflated_zeros(2000 * 6001))


@functools.cache
def _deflated_zeros(count: int) -> bytes:
    return zlib.compress(bytes(count), 9)


def _compressed_text(chance: random.Random) -> bytes:
    header = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    kind = chance.choice((b"zTXt", b"iCCP", b"iTXt"))
    texts = hostile_images.png_chunk(kind, b"key\0\0" + _deflated_zeros(3_000_000))
    return _png(
        hostile_images.png_chunk(b"IHDR", header), zlib.compress(bytes(8 * 25)), texts * chance.randint(1, 9)
    )


def _damaged_chunks(chance: random.Random) -> bytes:
    """Each with a wrong checksum, about which libpng complains."""
    parts = hostile_images.png_parts(good_kinds()["png"])
    chunk = hostile_images.png_chunk(b"tEXt", b"a\0")[:-4] + bytes(4)
    return b"".join([*parts[:2], chunk * chance.choice((10, 5_000)), *parts[2:]])


def _jpeg_of_a_size(chance: random.Random) -> bytes:
    parts = hostile_images.jpeg_parts(good_kinds()["jpeg"])
    sides = struct.pack(">HH", _side(chance) & 0xFFFF, _side(chance) & 0xFFFF)
    sized = [part[:5] + sides + part[9:] if part[:2] == b"\xff\xc0" else part for part in parts]
    return b"".join(sized)


def _scans(chance: random.Random) -> bytes:
    image = good_kinds()["progressive jpeg"]
    last = image.rindex(b"\xff\xda")
    return image[:-2] + image[last:-2] * chance.choice((50, 90, 500)) + image[-2:]


def _hidden(chance: random.Random) -> bytes:
    return hidden_header_jpeg(_side(chance) & 0xFFFF, _side(chance) & 0xFFFF)


def _webp_of_a_size(chance: random.Random) -> bytes:
    frame = hostile_images.webp_parts(good_kinds()["lossless webp"])[1]
    bits = chance.getrandbits(28)
    huge = frame[:9] + struct.pack("<I", bits) + frame[13:]
    sides = (1 + (_side(chance) & 0xFFFFFF), 1 + (bits & 0x3FFF))
    canvas = hostile_images.canvas((min(sides[0], 1 << 24), sides[1]), chance.choice((0, 2, 16)))
    return hostile_images.riff([canvas, huge] if chance.random() < 0.5 else [huge])


@functools.cache
def _long_strips() -> tuple[bytes, ...]:
    """As many pixels as are taken, in shapes that no camera has."""
    shapes = ((1, 65_000), (65_000, 1), (61, 65_000), (65_000, 61), (1, 999_999), (999_999, 3))
    kinds = [".jpg" if max(shape) <= 65_000 else ".png" for shape in shapes]
    return tuple(
        cv2.imencode(kind, np.full((*shape, 3), 90, np.uint8))[1].tobytes()
        for kind, shape in zip(kinds, shapes, strict=True)
    )


def _strip(chance: random.Random) -> bytes:
    return chance.choice(_long_strips())


BOMBS: tuple[Callable[[random.Random], bytes], ...] = (
    *(_png_of_a_size, _deflated, _compressed_text, _damaged_chunks, _jpeg_of_a_size, _scans, _hidden),
    *(_webp_of_a_size, _strip),
)
