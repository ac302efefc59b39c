from __future__ import annotations

import contextlib
import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.vision.images import astronaut
from webapp.errors import BadFrameError, TooLargeError
from webapp.protocol import MAX_IMAGE_BYTES, MAX_IMAGE_PIXELS, MAX_SIDE
from webapp.vision.decode import SHRINKS, decode
from webapp.vision.headers import MAX_SCANS, Size, read_size

SOURCE = Image.fromarray(np.ascontiguousarray(astronaut()[:, :, ::-1])).resize((96, 64))


def encoded(kind: str, image: Image.Image = SOURCE, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


FILES = {
    "jpeg": encoded("JPEG", quality=95),
    "progressive jpeg": encoded("JPEG", quality=95, progressive=True),
    "png": encoded("PNG"),
    "lossy webp": encoded("WEBP", quality=95),
    "lossless webp": encoded("WEBP", lossless=True),
    "extended webp": encoded("WEBP", quality=95, exif=Image.Exif()),
}


@pytest.mark.parametrize("name", FILES)
def test_every_format_gives_the_picture_in_blue_green_red(name: str) -> None:
    expected = np.asarray(SOURCE)[:, :, ::-1].astype(int)
    decoded = decode(FILES[name]).pixels
    assert decoded.dtype == np.uint8
    assert decoded.shape == (64, 96, 3)
    assert np.abs(decoded - expected).mean() < 6


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("L", "JPEG"), ("CMYK", "JPEG"), ("L", "PNG"), ("LA", "PNG"), ("RGBA", "PNG"), ("P", "PNG")],
)
def test_other_kinds_of_pixels_become_three_colours(mode: str, kind: str) -> None:
    decoded = decode(encoded(kind, SOURCE.convert(mode))).pixels
    assert decoded.shape == (64, 96, 3)
    gray = np.asarray(SOURCE.convert("L")).astype(int)
    assert np.abs(cv2.cvtColor(decoded, cv2.COLOR_BGR2GRAY).astype(int) - gray).mean() < 10  # P is dithered


def test_sixteen_bits_become_eight() -> None:
    gray = np.asarray(SOURCE.convert("L"))
    deep = encoded("PNG", Image.fromarray(gray.astype(np.uint16) * 257))
    assert (decode(deep).pixels == gray[:, :, None]).all()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    ("orientation", "upright"),
    [
        (1, lambda stored: stored),
        (2, lambda stored: stored[:, ::-1]),
        (3, lambda stored: stored[::-1, ::-1]),
        (4, lambda stored: stored[::-1]),
        (5, lambda stored: stored.transpose(1, 0, 2)),
        (6, lambda stored: np.rot90(stored, -1)),
        (7, lambda stored: stored[::-1, ::-1].transpose(1, 0, 2)),
        (8, lambda stored: np.rot90(stored)),
    ],
)
def test_the_exif_orientation_is_applied(
    kind: str, orientation: int, upright: Callable[[np.ndarray], np.ndarray]
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {"quality": 100, "subsampling": 0}
    decoded = decode(encoded(kind, exif=exif, **options)).pixels
    expected = upright(np.asarray(SOURCE)[:, :, ::-1]).astype(int)
    assert decoded.shape == expected.shape
    assert np.abs(decoded - expected).mean() < 2


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("by", SHRINKS)
def test_a_picture_can_be_shrunk_while_it_is_decoded(kind: str, orientation: int, by: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    width, height = SOURCE.size if orientation == 1 else SOURCE.size[::-1]
    decoded = decode(encoded(kind, exif=exif), lambda shorter: by if shorter == min(SOURCE.size) else 1)
    assert (decoded.width, decoded.height) == (width, height)
    assert decoded.pixels.shape == (height // by, width // by, 3)
    assert decoded.scale == by


@pytest.mark.parametrize("name", FILES)
def test_a_picture_without_its_end_is_refused_wherever_it_is_cut(name: str) -> None:
    whole = FILES[name]
    for length in [*range(64), len(whole) // 2, len(whole) - 40, len(whole) - 2, len(whole) - 1]:
        with pytest.raises(BadFrameError):
            decode(whole[:length])


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"GIF89a" + bytes(50), b"BM" + bytes(50), b"<svg/>", bytes(999)]
)
def test_other_data_is_refused_with_what_to_send(data: bytes) -> None:
    with pytest.raises(BadFrameError, match="send a JPEG, PNG or WebP"):
        decode(data)


def test_too_many_bytes_are_refused() -> None:
    padded = FILES["jpeg"] + bytes(MAX_IMAGE_BYTES)
    with pytest.raises(TooLargeError, match="2,000,000"):
        decode(padded)


def png_header(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + chunk + bytes(4) + b"IEND\xaeB`\x82"


def jpeg_header(width: int, height: int) -> bytes:
    frame = b"\xff\xc0\x00\x11\x08" + struct.pack(">HH", height, width) + b"\x03" + bytes(9)
    return b"\xff\xd8" + frame + b"\xff\xda\x00\x02\xff\xd9"


def webp_header(width: int, height: int) -> bytes:
    sizes = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    bits = (width - 1) & 0x3FFF | ((height - 1) & 0x3FFF) << 14
    frame = b"VP8L" + struct.pack("<IBI", 5, 0x2F, bits) + b"\0"
    chunk = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + sizes + frame
    return b"RIFF" + struct.pack("<I", len(chunk)) + chunk


HEADERS = [png_header, jpeg_header, webp_header]


@pytest.mark.parametrize("header", HEADERS)
def test_too_many_pixels_are_refused_by_the_header_alone(header: Callable[[int, int], bytes]) -> None:
    with pytest.raises(TooLargeError, match="16,000 x 16,000"):
        decode(header(16_000, 16_000))


@pytest.mark.parametrize("header", HEADERS)
def test_a_header_without_pixels_behind_it_is_refused(header: Callable[[int, int], bytes]) -> None:
    with pytest.raises(BadFrameError):
        decode(header(640, 480))


@pytest.mark.parametrize("header", HEADERS[:2])
@pytest.mark.parametrize("size", [(0, 480), (640, 0)])
def test_a_picture_of_no_pixels_is_refused(
    header: Callable[[int, int], bytes], size: tuple[int, int]
) -> None:
    with pytest.raises(BadFrameError):
        decode(header(*size))


def test_the_largest_picture_is_taken_and_one_row_more_is_not() -> None:
    width, height = 2000, MAX_IMAGE_PIXELS // 2000
    assert decode(encoded("PNG", Image.new("RGB", (width, height)))).pixels.shape == (height, width, 3)
    with pytest.raises(TooLargeError):
        decode(encoded("PNG", Image.new("RGB", (width, height + 1))))


@pytest.mark.parametrize("size", [(MAX_SIDE + 1, 3), (3, MAX_SIDE + 1)])
def test_an_image_longer_than_any_jpeg_is_refused_although_it_has_few_pixels(size: tuple[int, int]) -> None:
    """The server takes a worker that speaks of such a size for a broken one, and ends it."""
    with pytest.raises(TooLargeError, match="65,535 each way"):
        decode(encoded("PNG", Image.new("RGB", size)))


def test_a_jpeg_with_endless_scans_is_refused() -> None:
    progressive = FILES["progressive jpeg"]
    last = progressive.rindex(b"\xff\xda")
    forged = progressive[:-2] + progressive[last:-2] * MAX_SCANS + b"\xff\xd9"
    with pytest.raises(BadFrameError):
        decode(forged)


def test_bytes_after_the_end_do_no_harm() -> None:
    for name in FILES:
        assert decode(FILES[name] + b"trailer" * 20).pixels.shape == (64, 96, 3)


@pytest.mark.parametrize("name", FILES)
def test_the_header_says_the_size_before_the_exif_turn(name: str) -> None:
    assert read_size(FILES[name]) == Size(width=96, height=64)


@settings(max_examples=400)
@given(
    name=st.sampled_from(sorted(FILES)),
    changes=st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), max_size=12),
    length=st.integers(0, 9000),
)
def test_damaged_images_raise_nothing_but_frame_errors(
    name: str, changes: list[tuple[int, int]], length: int
) -> None:
    damaged = bytearray(FILES[name])
    for position, value in changes:
        damaged[position % len(damaged)] = value
    with contextlib.suppress(BadFrameError, TooLargeError):
        assert decode(bytes(damaged[:length])).pixels.shape[2] == 3


@settings(max_examples=400)
@given(
    start=st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x00\x00\x00\x00WEBPVP8", b""]),
    rest=st.binary(max_size=300),
)
def test_random_bytes_raise_nothing_but_frame_errors(start: bytes, rest: bytes) -> None:
    with pytest.raises((BadFrameError, TooLargeError)):
        decode(start + rest)
