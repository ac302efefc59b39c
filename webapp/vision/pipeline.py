"""The stages in their order: decode, follow known faces, detect new ones, landmarks and align, classify."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from webapp.config import Runtime
from webapp.protocol import LABELS, Analysis, Box, Face, Job, Pose, Region
from webapp.vision.align import CROP_SIZE, align
from webapp.vision.classify import load_classifier
from webapp.vision.decode import SHRINKS, Decoded, decode
from webapp.vision.detect import SHORT_RANGE, FaceDetector
from webapp.vision.landmarks import INPUT_SIDE, FaceLandmarker
from webapp.vision.polylines import polylines_json
from webapp.vision.pose import head_pose
from webapp.vision.regions import Detection, region_from_landmarks
from webapp.vision.tiles import tile

MIN_PRESENCE = 0.5
"""What the face mesh scores below this is no face, or one turned too far away to be read."""

MIN_DOUBT = 0.05
"""What it scores between this and MIN_PRESENCE gets another look, from its own landmarks and blurred.

Of 298 FER2013 faces in frames of 640 x 480 that makes 95% found in place of 91% under noise with a standard
deviation of 25, and 82% in place of 77% of faces 24 pixels wide. It is for near faces and in tiles: in a
whole picture a far face is often taken astray, and is better left to its tile.
"""

TILE_MIN_SCORE = 0.3
"""For the detector in a tile, where faces are small and time is spare: 3% more of 24 pixels than with 0.4."""

SMALL_IN_TILE, SMALL_GROWTH = 1 / 12, 1.2
"""Boxes smaller than this part of a tile's side come out too small by this: the face mesh is 1.37 to 1.47
times as wide as they are, and 1.22 times as wide as large ones. Of 300 FER2013 faces 24 pixels wide in 640 x
480, 93% are found in place of 87%.
"""

CLOSE_TILE_MIN_SCORE = 0.6
"""For the short-range detector in a tile, which looks where the other finds nothing: of 200 faces whose lower
third is covered 91.5% are found in place of 89.5%; of 336 pictures without a face 17 in place of 14 have one.
"""

MAX_COORDINATE = 1e6
"""No point of a face lies further away, in pixels; nan is not below it either."""

NOSE_TIP = 1
"""In the face mesh."""


class FoundFace(NamedTuple):
    """All that is known of a face but its expression, in pixels of the whole picture.

    `crop` is what the classifier sees of it, `corners` (2, 2) float32 its lowest and highest x and y.
    """

    corners: NDArray[np.float32]
    region: Region
    score: float
    landmarks: str
    pose: Pose
    crop: NDArray[np.uint8]


class Pipeline:
    """All models of a worker, loaded and warm.

    Raises:
        ModelFileError: a model file is missing, changed or of another shape.
    """

    def __init__(self, runtime: Runtime, model_path: Path) -> None:
        cv2.setNumThreads(1)  # there is a worker for each core
        self._detector = FaceDetector()
        self._close_detector = FaceDetector(SHORT_RANGE)
        self._landmarker = FaceLandmarker()
        self._classifier = load_classifier(runtime, model_path)
        self._warm_up()

    def analyze(self, job: Job) -> Analysis:
        """Find the faces in an encoded picture, from left to right, and what they show.

        Raises:
            BadFrameError, TooLargeError: see `decode`.
        """
        laps = _Laps()
        picture, found = self._find(job, laps)
        faces = self._classify(found)
        laps.end("classify")
        return Analysis(picture.width, picture.height, faces, laps.timing_ms)

    def find(self, job: Job) -> list[FoundFace]:
        """The faces in an encoded picture, from left to right, as `analyze` has them before it classifies."""
        return self._find(job, _Laps())[1]

    def _find(self, job: Job, laps: _Laps) -> tuple[Decoded, list[FoundFace]]:
        picture = decode(job.image, lambda shorter: shrink_for(job, shorter))
        laps.end("decode")
        found = self._follow(picture, job.regions)
        laps.end("landmarks")
        for detections, doubts in self._searches(picture.pixels, job, found):
            laps.end("detect")
            self._add_newcomers(picture, found, detections, doubts)
            laps.end("landmarks")
        return picture, sorted(found, key=lambda face: float(face.corners[0, 0]))

    def _follow(self, picture: Decoded, regions: Sequence[Region]) -> list[FoundFace]:
        """Look where faces were, each face once."""
        found: list[FoundFace] = []
        for region in regions:
            self._examine(picture, region.scaled(picture.pixels.shape[1]), found, doubts=False)
        return found

    def _searches(
        self, pixels: NDArray[np.uint8], job: Job, found: list[FoundFace]
    ) -> Iterator[tuple[list[Detection], bool]]:
        """What is detected in the whole picture and in one part of it, where each is asked for or needed.

        With each goes whether its doubtful faces get another look. The caller adds what it takes of each to
        `found`, which decides whether to look on.
        """
        if job.detect or len(found) < len(job.regions):
            yield self._detector.detect(pixels), False
            if not found:
                yield self._close_detector.detect(pixels), True
        if job.tile is not None:
            x, y, side = tile(pixels.shape[1], pixels.shape[0], job.tile)
            part = pixels[y : y + side, x : x + side]
            far = self._detector.detect(part, TILE_MIN_SCORE)
            yield [_whole(detection, side).shifted(x, y) for detection in far], True
            if not found:
                near = self._close_detector.detect(part, CLOSE_TILE_MIN_SCORE)
                yield [detection.shifted(x, y) for detection in near], False

    def _add_newcomers(
        self, picture: Decoded, found: list[FoundFace], detections: Sequence[Detection], doubts: bool
    ) -> None:
        """Look at what was detected and is no face that is known already."""
        for detection in detections:
            center = detection.box.center
            if not any(_holds(face, np.multiply(center, picture.scale)) for face in found):
                self._examine(picture, detection, found, doubts)

    def _examine(
        self, picture: Decoded, where: Region | Detection, found: list[FoundFace], doubts: bool
    ) -> None:
        """Add the face there, if the face mesh takes it for one and none of `found` is the same."""
        points, depth, presence, score = self._landmarker.landmarks(picture.pixels, where)
        if doubts and MIN_DOUBT < presence < MIN_PRESENCE:
            again = region_from_landmarks(points)
            points, depth, presence, score = self._landmarker.landmarks(picture.pixels, again, smooth=True)
        whole = points * np.float32(picture.scale)
        if presence < MIN_PRESENCE or not np.abs(whole).max() < MAX_COORDINATE:
            return
        if any(_holds(face, whole[NOSE_TIP]) for face in found):
            return
        found.append(
            FoundFace(
                corners=np.stack([whole.min(axis=0), whole.max(axis=0)]),
                region=region_from_landmarks(whole),
                score=score,
                landmarks=polylines_json(whole),
                pose=head_pose(points, depth),
                crop=align(picture.pixels, points),
            )
        )

    def _classify(self, found: list[FoundFace]) -> tuple[Face, ...]:
        if not found:
            return ()
        rows = self._classifier.probabilities(np.stack([face.crop for face in found]))
        return tuple(_face(face, row) for face, row in zip(found, rows.tolist(), strict=True))

    def _warm_up(self) -> None:
        """Run every network once: the first run allocates, and with Keras it compiles for a second."""
        grey = np.full((CROP_SIZE, CROP_SIZE, 3), 128, np.uint8)
        self._detector.detect(grey)
        self._close_detector.detect(grey)
        self._landmarker.landmarks(grey, Region(CROP_SIZE / 2, CROP_SIZE / 2, CROP_SIZE, 0.0))
        self._classifier.probabilities(grey[None, :, :, 0])


class _Laps:
    """A stopwatch: `end` gives the time since the end before to a stage."""

    def __init__(self) -> None:
        self.timing_ms = dict.fromkeys(("decode", "detect", "landmarks", "classify"), 0.0)
        self._last_s = time.perf_counter()

    def end(self, stage: str) -> None:
        now_s = time.perf_counter()
        self.timing_ms[stage] += 1000 * (now_s - self._last_s)
        self._last_s = now_s


def shrink_for(job: Job, shorter: int) -> int:
    """By how much to shrink a picture with this shorter side, in pixels, while it is decoded.

    As much as leaves the face mesh its full input in the smallest followed face; not at all where faces are
    searched that may be smaller.
    """
    if job.detect or job.tile is not None or not job.regions:
        return 1
    smallest = shorter * min(region.size for region in job.regions)
    return max(by for by in SHRINKS if by == 1 or smallest >= by * INPUT_SIDE)


def _whole(detection: Detection, side: int) -> Detection:
    """The detection in a tile of `side` pixels, its box as large as the face."""
    box = detection.box
    if max(box.width, box.height) >= SMALL_IN_TILE * side:
        return detection
    (x, y), width, height = box.center, SMALL_GROWTH * box.width, SMALL_GROWTH * box.height
    return replace(detection, box=Box(x - width / 2, y - height / 2, width, height))


def _holds(face: FoundFace, point: NDArray[np.floating[Any]]) -> bool:
    """Whether the face lies around this point, of another mesh's nose or another detection's middle.

    A small detection within a large face leads the mesh to the same face again: 4 in 428 pictures.
    """
    low, high = face.corners
    return bool((low < point).all() and (point < high).all())


def _face(found: FoundFace, probabilities: list[float]) -> Face:
    by_label = dict(zip(LABELS, probabilities, strict=True))
    (left, top), (right, bottom) = found.corners.tolist()
    return Face(
        box=Box(left, top, right - left, bottom - top),
        region=found.region,
        score=found.score,
        landmarks=found.landmarks,
        pose=found.pose,
        probabilities=by_label,
        raw_probabilities=by_label,
    )
