"""The stages in order: decode, track known faces, detect new ones, landmarks and align, classify."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from webapp.config import Runtime
from webapp.protocol import LABELS, Analysis, Box, Face, Job, Region
from webapp.vision.align import CROP_SIZE, align
from webapp.vision.classify import load_classifier, probabilities_with_mirrored
from webapp.vision.decode import SHRINKS, Decoded, decode
from webapp.vision.detect import SHORT_RANGE, FaceDetector
from webapp.vision.landmarks import INPUT_SIDE, FaceLandmarker, Landmarks
from webapp.vision.photo import detections_at_scales
from webapp.vision.polylines import polylines_json
from webapp.vision.pose import head_pose
from webapp.vision.regions import Detection, region_from_landmarks
from webapp.vision.search.found import CLEAR_SCORE, FoundFace, FoundFaces
from webapp.vision.search.second_look import MIN_EVIDENCE_FAR, Detectors, candidates, verified
from webapp.vision.search.tiles import enlarged, tile

MAX_FRAME_PIXELS = 400_000
"""An image file of more pixels is searched at several scales, as a face of 40 pixels is too small for the
whole-image detector there; one of 640 x 480 is searched like a frame, in a quarter of the time."""

FILE_THREADS = min(4, os.cpu_count() or 1)
"""Over which the tiles of an image file are spread, with the priority of the thread that analyzes it."""

MIN_PRESENCE = 0.5
"""Below this presence in the face mesh there is no face, or one turned too far away to be read."""

RETRY_MIN_PRESENCE = 0.05
"""With a presence between this and MIN_PRESENCE the mesh is run again, on its own region and blurred.

Of 298 FER2013 faces in frames of 640 x 480 this raises those found from 91% to 95% under noise with a
standard deviation of 25, and from 77% to 82% of faces 24 pixels wide. It is for near faces and for tiles: in
the whole image a far face is often mislocated, and is better left to its tile.
"""

TILE_MIN_SCORE = 0.3
"""For the detector in a tile, where faces are small: finds 3% more of 24 pixels than 0.4 does."""

CLOSE_TILE_MIN_SCORE = 0.6
"""For the short-range detector in a tile, which runs when the other finds nothing: of 200 faces whose lower
third is covered it finds 91.5% instead of 89.5%; false positives rise from 14 to 17 in 336 images without a
face.
"""

MIN_EVIDENCE_BESIDE, SMALL_WIDTH = 8.0, 48
"""The evidence that a face with less than CLEAR_SCORE needs beside others (see `second_look`), unless it is
less wide than this in pixels.

The cup, 95 pixels wide, had up to 6.7. Of 15 images each of a second person with half of the face covered, or
under noise with a standard deviation of 25 or 40, all faces of 40 pixels and more are found. Of small ones
under noise, 24 pixels wide, it would be 11 of 15 with this evidence; all have 2.5.
"""

MAX_COORDINATE = 1e6
"""No point of a face is farther away, in pixels; nan is not below it either."""

NOSE_TIP = 1
"""In the face mesh."""


class Pipeline:
    """All models of a worker, loaded and warmed up; one thread calls it.

    Raises:
        ModelFileError: a model file is missing, changed or of another shape.
    """

    def __init__(self, runtime: Runtime, model_path: Path) -> None:
        cv2.setNumThreads(1)  # there is one worker per core
        self._detectors = [Detectors(FaceDetector(), FaceDetector(SHORT_RANGE))]
        self._detector, self._close_detector = self._detectors[0]
        self._landmarker = FaceLandmarker()
        self._classifier = load_classifier(runtime, model_path)
        self._warm_up()

    def analyze(self, job: Job) -> Analysis:
        """Find the faces in an encoded image, from left to right, and their expressions.

        Raises:
            BadFrameError, TooLargeError: see `decode`.
        """
        laps = _Laps()
        image = _decoded(job, laps)
        if job.is_file and image.width * image.height > MAX_FRAME_PIXELS:
            return self._photo_analysis(image, FILE_THREADS, laps)
        return self._analysis(image, self._find(image, job, laps), job.mirror, laps)

    def analyze_decoded(self, image: Decoded, job: Job, threads: int = 1) -> Analysis:
        """The same for an image that is decoded already; the job's own is not used.

        A second look is taken on so many cores.
        """
        laps = _Laps()
        return self._analysis(image, self._find(image, job, laps, threads), job.mirror, laps)

    def analyze_photo(self, image: Decoded, threads: int = 1) -> Analysis:
        """The same for a photograph of any size, searched at several scales on so many cores; see `photo`."""
        return self._photo_analysis(image, threads, _Laps())

    def _photo_analysis(self, image: Decoded, threads: int, laps: _Laps) -> Analysis:
        found, detectors = FoundFaces(replace=True), self._detectors_for(threads)
        search = detections_at_scales(image.pixels, [each.far for each in detectors], self._close_detector)
        self._add_detected(image, search, found, laps)
        if not found:
            self._look_again(image, found, threads)
            laps.end("detect")
        return self._analysis(image, list(found), mirror=True, laps=laps)

    def find(self, job: Job) -> list[FoundFace]:
        """The faces in an encoded image, from left to right, before `analyze` classifies them."""
        laps = _Laps()
        return self._find(_decoded(job, laps), job, laps)

    def _analysis(self, image: Decoded, found: list[FoundFace], mirror: bool, laps: _Laps) -> Analysis:
        faces = self._classify(found, mirror)
        laps.end("classify")
        return Analysis(image.width, image.height, faces, laps.timing_ms)

    def _detectors_for(self, threads: int) -> list[Detectors]:
        """So many, of which those that are missing are loaded."""
        while len(self._detectors) < threads:
            self._detectors.append(Detectors(FaceDetector(), FaceDetector(SHORT_RANGE)))
        return self._detectors[:threads]

    def _find(self, image: Decoded, job: Job, laps: _Laps, threads: int = 1) -> list[FoundFace]:
        found = self._track(image, job.regions)
        laps.end("landmarks")
        self._add_detected(image, self._detections(image.pixels, job, found), found, laps)
        if job.second_look and not found:
            self._look_again(image, found, threads)
            laps.end("detect")
        return list(found)

    def _add_detected(
        self,
        image: Decoded,
        search: Iterable[tuple[Sequence[Detection], bool]],
        found: FoundFaces,
        laps: _Laps,
    ) -> None:
        """Examine what a search detects, one round after the other."""
        for detections, retry in search:
            laps.end("detect")
            self._add_new_faces(image, found, detections, retry)
            laps.end("landmarks")
        laps.end("detect")

    def _track(self, image: Decoded, regions: Sequence[Region]) -> FoundFaces:
        """Track known faces, skipping duplicates.

        Where a face passes before another, the mesh slides from the hidden one to it. So of two regions that
        show the same face the one that it has moved least from is the face's own, and is taken first.
        """
        found = FoundFaces()
        expected = [region.scaled(image.pixels.shape[1]) for region in regions]
        seen = [(region, self._landmarker.landmarks(image.pixels, region)) for region in expected]
        if len(seen) > 1:
            seen.sort(key=lambda pair: _slip(*pair))
        for _, landmarks in seen:
            if landmarks.presence >= MIN_PRESENCE:
                self._add(image, found, landmarks)
        return found

    def _detections(
        self, pixels: NDArray[np.uint8], job: Job, found: FoundFaces
    ) -> Iterator[tuple[list[Detection], bool]]:
        """What is detected in the whole image and in one tile of it, where each is asked for or needed.

        Each comes with whether to retry faces of low presence. The caller adds the faces that it accepts to
        `found`, which decides whether detection goes on.
        """
        if job.detect or len(found) < len(job.regions):
            yield self._detector.detect(pixels), False
            if not found:
                yield self._close_detector.detect(pixels), True
        if job.tile is not None:
            x, y, side = tile(pixels.shape[1], pixels.shape[0], job.tile)
            patch = pixels[y : y + side, x : x + side]
            far = self._detector.detect(patch, TILE_MIN_SCORE)
            yield [enlarged(detection, side).shifted(x, y) for detection in far], True
            if not found:
                near = self._close_detector.detect(patch, CLOSE_TILE_MIN_SCORE)
                yield [detection.shifted(x, y) for detection in near], False

    def _look_again(self, image: Decoded, found: FoundFaces, threads: int) -> None:
        """Search round by round, until one shows a face."""
        for doubtful in candidates(image.pixels, self._detectors_for(threads)):
            for detection, min_evidence in doubtful:
                landmarks = verified(self._landmarker, image.pixels, detection, min_evidence)
                if landmarks is not None:
                    self._add(image, found, landmarks)
            if found:
                return

    def _add_new_faces(
        self, image: Decoded, found: FoundFaces, detections: Sequence[Detection], retry: bool
    ) -> None:
        """Examine the detections that are not faces found already."""
        for detection in detections:
            if not found.hide(np.multiply(detection.box.center, image.scale)):
                self._examine(image, detection, found, retry)

    def _examine(self, image: Decoded, detection: Detection, found: FoundFaces, retry: bool) -> None:
        """Add the face there, if the face mesh confirms it and it is not in `found` yet."""
        landmarks = self._landmarker.landmarks(image.pixels, detection)
        if retry and RETRY_MIN_PRESENCE < landmarks.presence < MIN_PRESENCE:
            again = region_from_landmarks(landmarks.points)
            landmarks = self._landmarker.landmarks(image.pixels, again, blur=True)
        if landmarks.presence >= MIN_PRESENCE and not (
            found and self._is_doubtful(image, detection, landmarks)
        ):
            self._add(image, found, landmarks)

    def _is_doubtful(self, image: Decoded, detection: Detection, landmarks: Landmarks) -> bool:
        """Whether the face is not clear, and too little speaks for it when it is looked at again."""
        if landmarks.score >= CLEAR_SCORE:
            return False
        needed = MIN_EVIDENCE_FAR if detection.box.width < SMALL_WIDTH else MIN_EVIDENCE_BESIDE
        return verified(self._landmarker, image.pixels, detection, needed) is None

    def _add(self, image: Decoded, found: FoundFaces, landmarks: Landmarks) -> None:
        """Add the face with these landmarks, if it is not in `found` yet."""
        whole = landmarks.points * np.float32(image.scale)
        corners = np.stack([whole.min(axis=0), whole.max(axis=0)])
        if not np.abs(corners).max() < MAX_COORDINATE or not found.admits(landmarks.score, whole[NOSE_TIP]):
            return
        face = FoundFace(
            corners=corners,
            region=region_from_landmarks(whole),
            score=landmarks.score,
            landmarks=polylines_json(whole),
            pose=head_pose(landmarks.points, landmarks.depth),
            crop=align(image.pixels, landmarks.points),
        )
        found.add(face, whole[NOSE_TIP])

    def _classify(self, found: list[FoundFace], mirror: bool) -> tuple[Face, ...]:
        if not found:
            return ()
        crops = np.stack([face.crop for face in found])
        rows = (
            probabilities_with_mirrored(self._classifier, crops)
            if mirror
            else self._classifier.probabilities(crops)
        )
        return tuple(_face(face, row) for face, row in zip(found, rows.tolist(), strict=True))

    def _warm_up(self) -> None:
        """Run every network once: the first run allocates memory, and with Keras it compiles for a second."""
        gray = np.full((CROP_SIZE, CROP_SIZE, 3), 128, np.uint8)
        self._detector.detect(gray)
        self._close_detector.detect(gray)
        self._landmarker.landmarks(gray, Region(CROP_SIZE / 2, CROP_SIZE / 2, CROP_SIZE, 0.0))
        self._classifier.probabilities(gray[None, :, :, 0])


class _Laps:
    """A stopwatch: `end` adds the time since the previous `end` to a stage."""

    def __init__(self) -> None:
        self.timing_ms = dict.fromkeys(("decode", "detect", "landmarks", "classify"), 0.0)
        self._last_s = time.perf_counter()

    def end(self, stage: str) -> None:
        now_s = time.perf_counter()
        self.timing_ms[stage] += 1000 * (now_s - self._last_s)
        self._last_s = now_s


def _decoded(job: Job, laps: _Laps) -> Decoded:
    image = decode(job.image, lambda shorter: shrink_for(job, shorter), job.limits)
    laps.end("decode")
    return image


def shrink_for(job: Job, shorter: int) -> int:
    """The factor by which to shrink an image with this shorter side, in pixels, while it is decoded.

    The largest that keeps the full input resolution of the face mesh for the smallest tracked face; 1 if the
    detector runs, which may find smaller ones.
    """
    if job.detect or job.tile is not None or not job.regions:
        return 1
    smallest = shorter * min(region.size for region in job.regions)
    return max(factor for factor in SHRINKS if factor == 1 or smallest >= factor * INPUT_SIDE)


def _slip(expected: Region, landmarks: Landmarks) -> float:
    """How far a face is from where it was expected, in sides of the region."""
    region = region_from_landmarks(landmarks.points)
    return math.hypot(region.x - expected.x, region.y - expected.y) / expected.size


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
