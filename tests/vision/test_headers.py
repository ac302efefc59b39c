from __future__ import annotations

from collections import Counter

import cv2
import numpy as np
import pytest

from tests.vision.hostile_images import (
    OTHER_SIZES,
    SIZE,
    animated_files,
    canvas,
    good_files,
    hidden_header,
    hostile_images,
    jpeg_parts,
    png_chunk,
    png_parts,
    riff,
    webp_parts,
)
from webapp.errors import BadFrameError
from webapp.protocol import MAX_IMAGE_PIXELS
from webapp.vision.decode import SHRINKS, decode
from webapp.vision.headers import MAX_COMPRESSED_TEXT_BYTES, Size, read_size

GOOD = good_files()
HUGE = (20_000, 20_000)


def stated_size(image: bytes) -> Size | None:
    """What the header says, or None where the file is refused."""
    try:
        return read_size(image)
    except BadFrameError:
        return None


def decoded_size(image: bytes) -> tuple[int, int] | None:
    """What OpenCV makes of it without our checks; to be asked for small images only."""
    try:
        pixels = cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    return None if pixels is None else (pixels.shape[1], pixels.shape[0])


@pytest.mark.parametrize("seed", range(8))
def test_what_is_decoded_has_the_size_that_was_read(seed: int) -> None:
    """Against OpenCV's decoder, on files whose parts contradict one another."""
    outcomes: Counter[str] = Counter()
    for image in hostile_images(seed, 250):
        stated = stated_size(image)
        if stated is None or stated.width * stated.height > MAX_IMAGE_PIXELS:
            outcomes["refused"] += 1
        elif (decoded := decoded_size(image)) is None:
            outcomes["damaged"] += 1
        else:
            assert decoded in (tuple(stated), tuple(stated)[::-1]), image.hex()
            outcomes["decoded"] += 1
    assert outcomes["decoded"] > 20, "nothing was compared"
    assert outcomes["refused"] > 100, "nothing was hostile"


@pytest.mark.parametrize("name", GOOD)
def test_what_browsers_and_programs_send_is_taken(name: str) -> None:
    assert read_size(GOOD[name]) == SIZE


KNOWN_MARKERS = {0xC4, 0xDB, 0xDD, *range(0xE0, 0xF0), 0xFE, 0xC0, 0xC1, 0xC2, 0xDA, 0xFF}


@pytest.mark.parametrize("marker", sorted(set(range(256)) - KNOWN_MARKERS))
def test_a_jpeg_with_a_header_hidden_behind_an_odd_marker_is_refused(marker: int) -> None:
    parts = jpeg_parts(GOOD["jpeg"])
    hostile = b"".join([parts[0], hidden_header(parts, marker, HUGE), *parts[1:]])
    with pytest.raises(BadFrameError):
        decode(hostile)


@pytest.mark.parametrize("size", OTHER_SIZES)
def test_a_jpeg_with_two_frame_headers_is_refused(size: tuple[int, int]) -> None:
    parts = jpeg_parts(GOOD["jpeg"])
    (frame,) = [part for part in parts if part[:2] == b"\xff\xc0"]
    other = frame[:5] + size[1].to_bytes(2) + size[0].to_bytes(2) + frame[9:]
    for hostile in ([parts[0], other, *parts[1:]], [*parts[:-2], other, *parts[-2:]]):
        with pytest.raises(BadFrameError):
            decode(b"".join(hostile))


@pytest.mark.parametrize("name", animated_files())
def test_animations_are_refused(name: str) -> None:
    """Their frames have sizes of their own, and parts in a wrong order crash OpenCV's decoder."""
    with pytest.raises(BadFrameError, match="still image"):
        decode(animated_files()[name])


@pytest.mark.parametrize(
    "extra",
    [
        png_chunk(b"IHDR", bytes(13)),
        png_chunk(b"acTL", bytes(8)),
        png_chunk(b"fdAT", bytes(16)),
        png_chunk(b"ABCD", b""),
        png_chunk(b"zTXt", bytes(MAX_COMPRESSED_TEXT_BYTES + 1)),
        png_chunk(b"iTXt", b"Key\x00\x01" + bytes(MAX_COMPRESSED_TEXT_BYTES)),
        png_chunk(b"zTXt", bytes(MAX_COMPRESSED_TEXT_BYTES // 2 + 1)) * 2,
    ],
)
def test_a_png_with_parts_that_may_harm_the_decoder_is_refused(extra: bytes) -> None:
    parts = png_parts(GOOD["png"])
    with pytest.raises(BadFrameError):
        decode(b"".join([*parts[:2], extra, *parts[2:]]))


@pytest.mark.parametrize(
    "extra",
    [
        png_chunk(b"tEXt", b"Software\x00made up"),
        png_chunk(b"iTXt", b"XML:com.adobe.xmp\x00\x00\x00\x00\x00" + b"<x/>" * 10_000),
        png_chunk(b"pHYs", bytes(9)),
        png_chunk(b"abCd", b"unknown, and not needed"),
    ],
)
def test_a_png_with_text_or_measures_is_taken(extra: bytes) -> None:
    parts = png_parts(GOOD["png"])
    assert decode(b"".join([*parts[:2], extra, *parts[2:]])).pixels.shape == (32, 48, 3)


@pytest.mark.parametrize("name", ["lossy webp", "lossless webp"])
@pytest.mark.parametrize("size", OTHER_SIZES)
def test_a_webp_whose_frame_does_not_fill_its_canvas_is_refused(name: str, size: tuple[int, int]) -> None:
    _, frame = webp_parts(GOOD[name])
    with pytest.raises(BadFrameError):
        decode(riff([canvas(size), frame]))
    assert decode(riff([canvas(SIZE), frame])).pixels.shape == (32, 48, 3)


@pytest.mark.parametrize("by", SHRINKS)
@pytest.mark.parametrize("size", [(45, 31), (8, 9), (47, 33)])
@pytest.mark.parametrize("kind", [".jpg", ".png", ".webp"])
def test_sides_that_no_shrinking_divides_are_decoded(kind: str, size: tuple[int, int], by: int) -> None:
    image = cv2.imencode(kind, np.zeros((size[1], size[0], 3), np.uint8))[1].tobytes()
    decoded = decode(image, lambda shorter: by)
    assert (decoded.width, decoded.height) == size


def test_a_picture_that_decodes_to_another_size_than_its_header_says_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The second line, should the two readers ever differ."""
    monkeypatch.setattr("webapp.vision.decode.read_size", lambda image: Size(40, 32))
    with pytest.raises(BadFrameError, match="40 x 32"):
        decode(GOOD["png"])
