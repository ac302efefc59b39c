"""The stages in their order: decode, detect, landmarks and align, classify."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from webapp.config import Runtime
from webapp.messages import LABELS, Analysis, Face, Point, Pose
from webapp.vision.align import CROP_SIZE, align
from webapp.vision.classify import load_classifier
from webapp.vision.decode import decode
from webapp.vision.detect import FaceDetector
from webapp.vision.landmarks import FaceLandmarker
from webapp.vision.polylines import polylines
from webapp.vision.pose import head_pose
from webapp.vision.regions import Detection, Region

MIN_PRESENCE = 0.5
"""What the face mesh scores below this is no face, or one turned too far away to be read."""


NOSE_TIP = 1
"""In the face mesh."""


class FoundFace(NamedTuple):
    """All that is known of a face but its expression; `crop` is what the classifier sees of it."""

    detection: Detection
    lines: dict[str, tuple[Point, ...]]
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
        self._landmarker = FaceLandmarker()
        self._classifier = load_classifier(runtime, model_path)
        self._warm_up()

    def analyze(self, image: bytes) -> Analysis:
        """Find the faces in an encoded picture, from left to right, and what they show.

        Raises:
            BadFrameError, TooLargeError: see `decode`.
        """
        laps = _Laps()
        picture = decode(image)
        laps.end("decode")
        detections = self._detector.detect(picture)
        laps.end("detect")
        found = self._examine(picture, detections)
        laps.end("landmarks")
        faces = self._classify(found)
        laps.end("classify")
        height, width = picture.shape[:2]
        return Analysis(width, height, faces, laps.timing_ms)

    def _examine(self, picture: NDArray[np.uint8], detections: list[Detection]) -> list[FoundFace]:
        """Keep what the face mesh takes for faces, each once, from left to right."""
        found: list[FoundFace] = []
        meshes: list[NDArray[np.float32]] = []
        for detection in detections:
            points, depth, score = self._landmarker.landmarks(picture, detection)
            if score >= MIN_PRESENCE and not any(_shows_same_face(mesh, points) for mesh in meshes):
                meshes.append(points)
                pose = head_pose(points, depth)
                found.append(FoundFace(detection, polylines(points), pose, align(picture, points)))
        return sorted(found, key=lambda face: face.detection.box.x)

    def _classify(self, found: list[FoundFace]) -> tuple[Face, ...]:
        if not found:
            return ()
        rows = self._classifier.probabilities(np.stack([face.crop for face in found]))
        return tuple(_face(face, row) for face, row in zip(found, rows.tolist(), strict=True))

    def _warm_up(self) -> None:
        """Run every network once: the first run allocates, and with Keras it compiles for a second."""
        grey = np.full((CROP_SIZE, CROP_SIZE, 3), 128, np.uint8)
        self._detector.detect(grey)
        self._landmarker.landmarks(grey, Region(CROP_SIZE / 2, CROP_SIZE / 2, CROP_SIZE, 0.0))
        self._classifier.probabilities(grey[None, :, :, 0])


class _Laps:
    """A stopwatch: `end` gives the time since the end before to a stage."""

    def __init__(self) -> None:
        self.timing_ms: dict[str, float] = {}
        self._last_s = time.perf_counter()

    def end(self, stage: str) -> None:
        now_s = time.perf_counter()
        self.timing_ms[stage] = 1000 * (now_s - self._last_s)
        self._last_s = now_s


def _shows_same_face(surer: NDArray[np.float32], other: NDArray[np.float32]) -> bool:
    """Whether the other mesh has its nose within the surer one.

    A small detection within a large face leads the mesh to the same face again: 4 in 428 pictures.
    """
    nose = other[NOSE_TIP]
    return bool((surer.min(axis=0) < nose).all() and (nose < surer.max(axis=0)).all())


def _face(found: FoundFace, probabilities: list[float]) -> Face:
    by_label = dict(zip(LABELS, probabilities, strict=True))
    return Face(
        box=found.detection.box,
        score=found.detection.score,
        landmarks=found.lines,
        pose=found.pose,
        probabilities=by_label,
        raw_probabilities=by_label,
    )
