"""Searches a photograph for faces at several scales: of 40 pixels in 48 megapixels, or filling all of them.

The image is shrunk step by step until one tile covers it. At each step the detector runs on overlapping tiles
of the same size in pixels, so that every face is between a thirteenth of a tile and half of one at some step.
The coarsest comes first: what a fine tile takes for a face within a large one is skipped by the caller.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from webapp.vision.detect import FULL_RANGE, FaceDetector
from webapp.vision.regions import Detection
from webapp.vision.search.tiles import enlarged

ImageArray = NDArray[np.uint8]

MIN_SIDE = 320
"""The side of a tile in pixels, as in a frame of 640 x 480: a face of 24 pixels is found."""

MAX_TILES = 360
"""About as many tiles cover the image at the finest scale; each takes 4 ms. Larger images get larger
tiles: of 457 pixels with 48 megapixels. With 260 tiles and a MIN_SCORE of 0.3 it takes three quarters of the
time, and 264 of 265 faces of 40 to 50 pixels are found, not all.
"""

OVERLAP_FRACTION = 0.2
"""The overlap of tiles over their side: the width of the largest face that only this scale finds."""

SHRINK = 2.5
"""From one scale to the next; a face as wide as the overlap then has an eighth of a tile at least."""

MIN_SCORE = 0.4
"""For the detector in a tile of a scale that is not the coarsest. 120 of 120 faces of 40 to 50 pixels in 48
megapixels are found; with 0.1 it takes twice as long.
"""

MIN_RANGE = 24
"""The range of gray levels under which a tile is sky or wall, and is not searched; a dim face has more."""


def detections_at_scales(
    pixels: ImageArray, detectors: Sequence[FaceDetector], close_detector: FaceDetector
) -> Iterator[tuple[Sequence[Detection], bool]]:
    """What the detectors find in a (height, width, 3) BGR image, in its pixels, coarsest scale first.

    Each round comes with whether to retry faces of low presence: not in the whole image, where of 200 large
    faces that are turned, covered, dark or noisy it finds one more, and takes a cat for a face. The
    short-range detector, for faces that fill the view, runs on the whole image alone. Tiles are shared out to
    the `detectors`, a thread for each.
    """
    (whole, _), *finer = reversed(_scales(pixels))
    for detector in (detectors[0], close_detector):
        yield [detection.scaled(len(pixels) / len(whole)) for detection in detector.detect(whole)], False
    with ThreadPoolExecutor(len(detectors)) as threads:
        for image, side in finer:
            corners = list(_corners(image, side))
            shares = [corners[start :: len(detectors)] for start in range(len(detectors))]
            search = partial(_detections_in_tiles, image, side, len(pixels) / len(image))
            found = threads.map(search, detectors, shares)
            yield sorted(itertools.chain(*found), key=lambda detection: -detection.score), True


def _detections_in_tiles(
    image: ImageArray, side: int, scale: float, detector: FaceDetector, corners: Sequence[tuple[int, int]]
) -> list[Detection]:
    """What a detector finds in tiles of an image, in pixels of one that is `scale` times as large."""
    found = []
    for x, y in corners:
        patch = image[y : y + side, x : x + side]
        if not _is_flat(patch):
            detections = detector.detect(patch, MIN_SCORE)
            found += [_in_image(detection, side, x, y, scale) for detection in detections]
    return found


def _scales(pixels: ImageArray) -> list[tuple[ImageArray, int]]:
    """The image at every scale, the finest first, each with the side of its tiles.

    A tile far larger than the detector's input need not be cut from the full resolution: means over areas
    also keep what bilinear sampling skips.
    """
    height, width = pixels.shape[:2]
    step = 1 - OVERLAP_FRACTION
    side = max(MIN_SIDE, math.ceil(math.sqrt(height * width / MAX_TILES) / step))
    factor = max(1, side // FULL_RANGE.side)
    side = math.ceil(side / factor)
    scales = [(_shrunk(pixels, factor), side)]
    while max(scales[-1][0].shape[:2]) > side:
        scales.append((_shrunk(scales[-1][0], SHRINK), side))
    return scales


def _shrunk(image: ImageArray, factor: float) -> ImageArray:
    if factor == 1:
        return image
    size = tuple(max(1, round(length / factor)) for length in image.shape[1::-1])
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _corners(image: ImageArray, side: int) -> Iterator[tuple[int, int]]:
    """The left upper corners of tiles that cover an image."""
    height, width = image.shape[:2]
    return itertools.product(tile_starts(width, side), tile_starts(height, side))


def tile_starts(length: int, side: int) -> list[int]:
    """Where tiles begin that cover this length, evenly, with OVERLAP_FRACTION of their side in common."""
    free = max(0, length - side)
    count = 1 + math.ceil(free / (side * (1 - OVERLAP_FRACTION)))
    return [round(free * index / max(1, count - 1)) for index in range(count)]


def _is_flat(patch: ImageArray) -> bool:
    """Whether nothing is to be seen, by every fourth pixel each way."""
    green = patch[::4, ::4, 1]
    return int(green.max()) - int(green.min()) < MIN_RANGE


def _in_image(detection: Detection, side: int, x: int, y: int, scale: float) -> Detection:
    """A detection in a tile at (x, y), in pixels of the full image; a small one with its box enlarged."""
    return enlarged(detection, side).shifted(x, y).scaled(scale)
