"""A second look at an image in which no face was found.

The detector tells less of a face that is turned, covered, dark or noisy, but often still something: what it
finds here counts from a score of MIN_SCORE, and the face mesh decides. The views are tiles of the image, made
smooth against noise, and the whole image with a margin, which shows the short-range detector a face that
fills the image at the size that it knows.

The mesh alone would take a cat, or a motorcycle's headlight, for a face in one view of ten. So it looks three
times, and all that is known is added up in `evidence`.
"""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from webapp.protocol import Region
from webapp.vision.detect import FaceDetector
from webapp.vision.landmarks import FaceLandmarker, Landmarks
from webapp.vision.regions import Detection, region_from_detection, region_from_landmarks
from webapp.vision.search.tiles import enlarged, tile, tile_count

ImageArray = NDArray[np.uint8]

MAX_SIDE = 640
"""Larger images are shrunk to this: a tile is then 320 pixels, and the detector's input 192 or 128."""

SMOOTHNESS = 2.0
"""The standard deviation of the blur, in pixels of an image of at most MAX_SIDE."""

MIN_SCORE = 0.2
"""For both detectors; with 0.1 there is twice as much to examine, and not one more face."""

MAX_DETECTIONS = 2
"""So many of a view are examined, the most confident first."""

MIN_PRESENCE = 0.05
"""With less in the face mesh's first run there is no face; the other two runs are spared."""

MIN_EVIDENCE_FAR, MIN_EVIDENCE_NEAR = 2.5, 1.0
"""For what the full-range and the short-range detector find; see `evidence`.

Of 260 images without people, most of them parts of larger ones, 3 pass in a round (smooth tiles, or with a
margin) and two of these at the first look as well. Of 220 faces that a first look misses 48 pass; with 0 for
both 67, and 5 images without people. Small faces that plain tiled detection finds have 9 to 22.
"""

MAX_LOGIT = 20.0


class Detectors(NamedTuple):
    """One of each range; one thread at a time uses them."""

    far: FaceDetector
    near: FaceDetector


def candidates(pixels: ImageArray, detectors: Sequence[Detectors]) -> Iterator[list[tuple[Detection, float]]]:
    """What the detectors find in a (height, width, 3) image, each with the evidence that it needs.

    They come in rounds, of which the next need not be asked for where one has shown faces. The views of a
    round are shared out to the `detectors`, a thread for each.
    """
    idle = deque(detectors)

    def search(view: View) -> list[tuple[Detection, float]]:
        far, near = own = idle.pop()
        try:
            return [*_near(view, near), *_far(view, far)]
        finally:
            idle.append(own)

    with ThreadPoolExecutor(len(detectors)) as threads:
        for round_of_views in views(pixels):
            yield list(itertools.chain(*threads.map(search, round_of_views)))


def _near(view: View, detector: FaceDetector) -> Iterator[tuple[Detection, float]]:
    for detection in detector.detect(view.pixels, MIN_SCORE)[:MAX_DETECTIONS]:
        yield view.in_image(detection), MIN_EVIDENCE_NEAR


def _far(view: View, detector: FaceDetector) -> Iterator[tuple[Detection, float]]:
    if view.is_tile:
        side = max(view.pixels.shape[:2])
        for detection in detector.detect(view.pixels, MIN_SCORE)[:MAX_DETECTIONS]:
            yield view.in_image(enlarged(detection, side)), MIN_EVIDENCE_FAR


class View(NamedTuple):
    """A part of an image, as a detector gets it.

    A pixel of it is `scale` pixels of the image, and its corner is at (`x`, `y`) in the image, which may be
    outside. Small faces are expected in tiles alone.
    """

    pixels: ImageArray
    x: float
    y: float
    scale: float
    is_tile: bool

    def in_image(self, detection: Detection) -> Detection:
        """A detection in this view, in pixels of the image."""
        return detection.scaled(self.scale).shifted(self.x, self.y)


def views(pixels: ImageArray) -> Iterator[list[View]]:
    """The views of a (height, width, 3) image in rounds: with a margin, in tiles, in smooth tiles."""
    scale = max(1.0, max(pixels.shape[:2]) / MAX_SIDE)
    size = tuple(max(1, round(side / scale)) for side in pixels.shape[1::-1])
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA) if scale > 1 else pixels
    down, across = size[1] // 2, size[0] // 2
    wide = cv2.copyMakeBorder(small, down, down, across, across, cv2.BORDER_CONSTANT)
    yield [View(np.asarray(wide, np.uint8), -across * scale, -down * scale, scale, is_tile=False)]
    yield _tiles(pixels, 1.0)
    yield _tiles(np.asarray(cv2.GaussianBlur(small, (0, 0), SMOOTHNESS), np.uint8), scale)


def _tiles(pixels: ImageArray, scale: float) -> list[View]:
    height, width = pixels.shape[:2]
    tiles = (tile(width, height, number) for number in range(tile_count(width, height)))
    return [
        View(pixels[y : y + side, x : x + side], x * scale, y * scale, scale, is_tile=True)
        for x, y, side in tiles
    ]


def verified(
    landmarker: FaceLandmarker, pixels: ImageArray, detection: Detection, min_evidence: float
) -> Landmarks | None:
    """The landmarks of a doubtful face, or None where there is too little evidence for one.

    The face mesh runs on the face as it is, on its mirror image, and once more on the region of the first
    landmarks, blurred against noise. The better of the first and the last is the result.
    """
    plain = landmarker.landmarks(pixels, detection)
    if plain.presence < MIN_PRESENCE:
        return None
    again = landmarker.landmarks(pixels, region_from_landmarks(plain.points), blur=True)
    mirrored = landmarker.landmarks(*_mirrored(pixels, region_from_detection(detection)))
    found = evidence(detection.score, (plain.presence, again.presence, mirrored.presence))
    return max(plain, again, key=lambda of: of.presence) if found >= min_evidence else None


def evidence(score: float, presences: tuple[float, ...]) -> float:
    """What speaks for a face: the logit of the detector's score plus the mean logit of the mesh's presences.

    A detection of 0.27 (logit -1) with presences of 0.88 on average (logit 2) has 1; 0 is even.
    """
    return _logit(score) + sum(map(_logit, presences)) / len(presences)


def _mirrored(pixels: ImageArray, region: Region) -> tuple[ImageArray, Region]:
    """The mirror image of the part around a region, which holds its corners, and the region in it."""
    height, width = pixels.shape[:2]
    left, right = _span(region.x, region.size, width)
    top, bottom = _span(region.y, region.size, height)
    part = np.asarray(cv2.flip(pixels[top:bottom, left:right], 1), np.uint8)
    return part, region._replace(x=right - region.x, y=region.y - top, roll=-region.roll)


def _span(center: float, reach: float, length: int) -> tuple[int, int]:
    """The whole pixels within `reach` of a point, of those from 0 to `length`; at least one."""
    first = min(max(int(center - reach), 0), length - 1)
    return first, max(min(int(center + reach) + 1, length), first + 1)


def _logit(probability: float) -> float:
    if not 0 < probability < 1:
        return math.copysign(MAX_LOGIT, probability - 0.5)
    return max(-MAX_LOGIT, min(MAX_LOGIT, math.log(probability / (1 - probability))))
