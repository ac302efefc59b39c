"""Photographs of 12 and 48 megapixels: every face of at least 40 pixels is found, in bounded memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.helpers.group_photos import MEGAPIXELS_12, MEGAPIXELS_48, group_photo, missing
from tests.vision.images import FACE, ImageArray, astronaut, overlap, shipped
from webapp.config import PROJECT_ROOT, Settings
from webapp.errors import TooLargeError
from webapp.protocol import LIVE_LIMITS, Box, ImageLimits
from webapp.vision import photo
from webapp.vision.decode import Decoded, decode
from webapp.vision.photo import OVERLAP_FRACTION, tile_starts
from webapp.vision.pipeline import Pipeline

WIDTHS = (40, 40, 40, 40, 40, 40, 44, 52, 64, 80, 100, 130, 170, 240, 320, 420)
LIMITS = ImageLimits(30_000_000, 50_000_000)
MAX_MEMORY_MB = 600

PEAK = """
import re, sys
from pathlib import Path
from webapp.analysis import FileEngine
with FileEngine(threads=1) as engine:
    print(len(engine.analyze_image(sys.argv[1]).faces))
print(int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024 / 1e6)
"""


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return Pipeline("litert", Settings().model_path)


def jpeg(image: ImageArray, quality: int = 90) -> bytes:
    return cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, quality))[1].tobytes()


@pytest.mark.slow
@pytest.mark.parametrize("size", [MEGAPIXELS_12, MEGAPIXELS_48], ids=["12 megapixels", "48 megapixels"])
def test_every_face_of_40_pixels_and_more_is_found_once(pipeline: Pipeline, size: tuple[int, int]) -> None:
    image, boxes = group_photo(size, WIDTHS)
    faces = pipeline.analyze_photo(decode(jpeg(image), limits=LIMITS), threads=2).faces
    assert missing(boxes, faces) == []
    assert len(faces) == len(boxes)


@pytest.mark.slow
def test_a_false_face_hides_no_small_ones(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """With tiles of this size, the mesh takes a thousand pixels of this JPEG for a face."""
    monkeypatch.setattr(photo, "MAX_TILES", 300)
    image, boxes = group_photo(MEGAPIXELS_48, tuple(40 + number % 11 for number in range(20)), seed=3)
    faces = pipeline.analyze_photo(decode(jpeg(image, quality=85), limits=LIMITS), threads=2).faces
    assert (missing(boxes, faces), len(faces)) == ([], len(boxes))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the kernel's figures")
def test_48_megapixels_take_less_than_600_megabytes(tmp_path: Path) -> None:
    path = tmp_path / "group.jpg"
    path.write_bytes(jpeg(group_photo(MEGAPIXELS_48, (40, 200))[0]))
    run = subprocess.run(
        [sys.executable, "-c", PEAK, str(path)], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )
    faces, peak_mb = run.stdout.split()
    assert faces == "2"
    assert float(peak_mb) < MAX_MEMORY_MB


@pytest.mark.parametrize("name", ["coffee", "brick", "moon", "chelsea"])
def test_a_photograph_without_people_has_no_face(pipeline: Pipeline, name: str) -> None:
    image = np.asarray(cv2.resize(shipped(name), None, fx=2, fy=2), np.uint8)
    assert pipeline.analyze_photo(Decoded(image, image.shape[1], image.shape[0])).faces == ()


def test_a_dim_face_alone_before_a_wall_is_found(pipeline: Pipeline) -> None:
    portrait = cv2.resize(
        astronaut(), None, fx=40 / FACE.width, fy=40 / FACE.width, interpolation=cv2.INTER_AREA
    )
    image = np.full((3000, 4000, 3), 60, np.uint8)
    height, width = portrait.shape[:2]
    image[1000 : 1000 + height, 700 : 700 + width] = 35 + 0.2 * portrait
    (face,) = pipeline.analyze_photo(Decoded(image, 4000, 3000)).faces
    assert overlap(face.box, Box(700 + 0.404 * FACE.x, 1000 + 0.404 * FACE.y, 40, 43)) > 0.4


@pytest.mark.parametrize("side", [300, 400, 640, 1000, 1700, 3000])
def test_a_face_that_fills_the_photograph_is_found_where_it_is(pipeline: Pipeline, side: int) -> None:
    margin = 20
    left, top = int(FACE.x) - margin, int(FACE.y) - margin
    scale = side / (FACE.height + 2 * margin)
    crop = astronaut()[top : top + round(side / scale), left : left + round(side / scale)]
    image = np.asarray(cv2.resize(crop, (side, side)), np.uint8)
    (face,) = pipeline.analyze_photo(Decoded(image, side, side)).faces
    truth = Box(scale * margin, scale * margin, scale * FACE.width, scale * FACE.height)
    assert overlap(face.box, truth) > 0.6


def test_a_small_image_is_searched_as_well(pipeline: Pipeline) -> None:
    image, boxes = group_photo((640, 480), (40, 120))
    assert missing(boxes, pipeline.analyze_photo(Decoded(image, 640, 480)).faces) == []


def test_an_image_of_one_pixel_has_no_face(pipeline: Pipeline) -> None:
    assert pipeline.analyze_photo(Decoded(np.zeros((1, 1, 3), np.uint8), 1, 1)).faces == ()


def test_limits_of_files_do_not_change_those_of_live_frames() -> None:
    upload = jpeg(np.zeros((2100, 2000, 3), np.uint8))
    assert decode(upload, limits=LIMITS).pixels.shape == (2100, 2000, 3)
    with pytest.raises(TooLargeError, match="at most 4,000,000"):
        decode(upload, limits=LIVE_LIMITS)
    with pytest.raises(TooLargeError, match="at most 1,000,000"):
        decode(upload, limits=ImageLimits(30_000_000, 1_000_000))


@pytest.mark.parametrize("length", [1, 320, 321, 640, 4000, 8000])
def test_tiles_cover_a_length_and_overlap(length: int) -> None:
    side = 320
    starts = tile_starts(length, side)
    assert starts[0] == 0 and starts[-1] + side >= length
    steps = np.diff(starts)
    assert (steps <= side * (1 - OVERLAP_FRACTION) + 1).all() and (steps > 0).all()
