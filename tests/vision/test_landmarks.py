from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest

from tests.vision.images import (
    FACE,
    KNOWN_POINTS,
    WITHOUT_FACES,
    ImageArray,
    astronaut,
    frame,
    grace_hopper,
    mirrored,
    moved,
    shipped,
    turned_clockwise,
)
from webapp.protocol import LANDMARK_NAMES, Region
from webapp.vision.detect import FaceDetector
from webapp.vision.landmarks import FaceLandmarker, Landmarks, quality
from webapp.vision.polylines import POLYLINES, polylines
from webapp.vision.regions import Detection, region_from_detection, region_from_landmarks

EYE_DISTANCE = 43.0
"""Between the middles of the portrait's eyes, in pixels."""


def error(found: np.ndarray, expected: np.ndarray) -> float:
    """The mean distance of points over the distance of the eyes."""
    return float(np.linalg.norm(found - expected, axis=1).mean() / EYE_DISTANCE)


def test_points_lie_where_the_eye_sees_them(portrait_landmarks: Landmarks) -> None:
    found = portrait_landmarks.points[list(KNOWN_POINTS)]
    assert np.linalg.norm(found - np.array(list(KNOWN_POINTS.values())), axis=1).max() < 3


def test_there_are_468_points_with_depth_and_a_sure_score(portrait_landmarks: Landmarks) -> None:
    assert portrait_landmarks.points.shape == (468, 2)
    assert portrait_landmarks.depth.shape == (468,)
    assert portrait_landmarks.points.dtype == portrait_landmarks.depth.dtype == np.float32
    assert portrait_landmarks.presence > 0.99


def test_the_nose_is_nearer_than_the_ears(portrait_landmarks: Landmarks) -> None:
    nose, right_cheek, left_cheek = portrait_landmarks.depth[[1, 234, 454]]
    assert nose < min(right_cheek, left_cheek) - 20


@pytest.mark.parametrize("degrees", [-40, -30, 15, 30, 40])
def test_points_turn_with_the_picture(
    detector: FaceDetector,
    landmarker: FaceLandmarker,
    portrait: ImageArray,
    portrait_landmarks: Landmarks,
    degrees: int,
) -> None:
    turned, matrix = turned_clockwise(portrait, degrees)
    found = landmarker.landmarks(turned, detector.detect(turned)[0])
    assert error(found.points, moved(portrait_landmarks.points, matrix)) < 0.06


def test_left_and_right_change_places_in_a_mirror(
    detector: FaceDetector, landmarker: FaceLandmarker, portrait: ImageArray, portrait_landmarks: Landmarks
) -> None:
    image = mirrored(portrait)
    found = polylines(landmarker.landmarks(image, detector.detect(image)[0]).points)
    before = polylines(portrait_landmarks.points)
    for one, other in (("left_eye", "right_eye"), ("left_eyebrow", "right_eyebrow"), ("nose", "nose")):
        center = np.mean(found[one], axis=0)
        expected = np.array([512, 0]) + np.array([-1, 1]) * np.mean(before[other], axis=0)
        assert np.abs(center - expected).max() < 2.5


@pytest.mark.parametrize("width", [42, 60, 120, 220])
def test_points_scale_with_the_face(
    detector: FaceDetector, landmarker: FaceLandmarker, portrait_landmarks: Landmarks, width: int
) -> None:
    image, (box,) = frame((190, 120, width))
    found = landmarker.landmarks(image, detector.detect(image)[0])
    back = (found.points - [box.x, box.y]) * (FACE.width / width) + [FACE.x, FACE.y]
    assert error(back, portrait_landmarks.points) < 0.06


def test_a_face_half_out_of_the_picture_keeps_its_points(
    detector: FaceDetector, landmarker: FaceLandmarker, portrait: ImageArray, portrait_landmarks: Landmarks
) -> None:
    cropped = np.ascontiguousarray(portrait[:, :238])
    found = landmarker.landmarks(cropped, detector.detect(cropped)[0])
    inside = portrait_landmarks.points[:, 0] < 225
    assert error(found.points[inside], portrait_landmarks.points[inside]) < 0.1


def test_the_region_of_the_landmarks_before_serves_in_place_of_a_detection(
    landmarker: FaceLandmarker, portrait: ImageArray, portrait_landmarks: Landmarks
) -> None:
    region = region_from_landmarks(portrait_landmarks.points)
    found = landmarker.landmarks(portrait, region)
    assert error(found.points, portrait_landmarks.points) < 0.03
    again = region_from_landmarks(found.points)
    assert again.size == pytest.approx(region.size, rel=0.03)


def test_a_moving_face_is_followed_without_the_detector(
    landmarker: FaceLandmarker, portrait_landmarks: Landmarks, portrait: ImageArray
) -> None:
    shifted = np.roll(portrait, (8, 12), axis=(0, 1))
    found = landmarker.landmarks(shifted, region_from_landmarks(portrait_landmarks.points))
    assert found.presence > 0.99
    assert error(found.points, portrait_landmarks.points + [12, 8]) < 0.04


@pytest.mark.parametrize("degrees", [-30, 0, 30])
def test_both_kinds_of_region_turn_with_the_face(
    detector: FaceDetector, landmarker: FaceLandmarker, portrait: ImageArray, degrees: int
) -> None:
    turned, _ = turned_clockwise(portrait, degrees)
    detection = detector.detect(turned)[0]
    landmarks = landmarker.landmarks(turned, detection)
    for region in (region_from_detection(detection), region_from_landmarks(landmarks.points)):
        assert np.degrees(region.roll) == pytest.approx(degrees + 2, abs=5)
        assert np.hypot(region.x - 224, region.y - 121) < 15
        assert region.size == pytest.approx(1.5 * FACE.height, rel=0.25)


@pytest.mark.parametrize("name", WITHOUT_FACES)
def test_other_things_score_low(landmarker: FaceLandmarker, name: str) -> None:
    image = shipped(name)
    height, width = image.shape[:2]
    center = Region(width / 2, height / 2, min(width, height) / 2, 0.0)
    assert landmarker.landmarks(image, center).presence < 0.5


@pytest.mark.parametrize("region", [Region(0, 0, 0, 0), Region(-9999, 5, 100, 2), Region(5, 5, 90000, -3)])
def test_any_region_gives_finite_points(
    landmarker: FaceLandmarker, portrait: ImageArray, region: Region
) -> None:
    found = landmarker.landmarks(portrait, region)
    assert np.isfinite(found.points).all()
    assert found.presence < 0.5


def test_every_named_line_is_there_and_whole() -> None:
    assert tuple(POLYLINES) == LANDMARK_NAMES
    for name, indices in POLYLINES.items():
        assert name == "nose" or indices[0] == indices[-1]
        assert len(set(indices.tolist())) == len(indices) - 1  # one point is met twice, where a line closes


def test_lines_lie_about_one_another_as_in_a_face(portrait_landmarks: Landmarks) -> None:
    lines = polylines(portrait_landmarks.points)
    center = {name: points.mean(axis=0) for name, points in lines.items()}
    assert center["right_eye"][0] < center["nose"][0] < center["left_eye"][0]  # the person's own sides
    assert center["left_eyebrow"][1] < center["left_eye"][1] < center["nose"][1] < center["mouth_outer"][1]
    oval, outer, inner = (lines[name] for name in ("face_oval", "mouth_outer", "mouth_inner"))
    assert (outer.min(axis=0) < inner.min(axis=0)).all() and (inner.max(axis=0) < outer.max(axis=0)).all()
    assert (oval.min(axis=0) < outer.min(axis=0)).all() and (outer.max(axis=0) < oval.max(axis=0)).all()


def blurred(image: ImageArray, strength: float) -> ImageArray:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), strength), np.uint8) if strength else image


def covered(image: ImageArray, detection: Detection, fraction: float) -> ImageArray:
    """The image with the lower part of the face under a gray sheet."""
    x, y, width, height = map(round, detection.box)
    sheet = image.copy()
    sheet[y + round((1 - fraction) * height) : y + round(1.2 * height), x - 20 : x + width + 20] = 100
    return sheet


def shrunk(image: ImageArray, by: int) -> ImageArray:
    """The image as if the face were so many times as far away."""
    small = cv2.resize(image, None, fx=1 / by, fy=1 / by, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, image.shape[1::-1]), np.uint8)


PORTRAITS = {"astronaut": astronaut, "grace hopper": grace_hopper}


@pytest.mark.parametrize("name", PORTRAITS)
def test_the_score_tells_clear_faces_from_those_that_are_hard_to_see(
    detector: FaceDetector, landmarker: FaceLandmarker, name: str
) -> None:
    clear = PORTRAITS[name]()
    face = detector.detect(clear)[0]

    def scores(*images: ImageArray) -> list[float]:
        return [landmarker.landmarks(image, face).score for image in images]

    for worse in (
        scores(clear, *(covered(clear, face, fraction) for fraction in (0.25, 0.45, 0.65))),
        scores(clear, *(blurred(clear, part * face.box.width) for part in (0.06, 0.08))),
        scores(clear, *(shrunk(clear, round(face.box.width / pixels)) for pixels in (12, 7))),
    ):
        assert worse[0] > 0.95
        assert all(before - after > 0.02 for before, after in itertools.pairwise(worse)), worse
        assert worse[-1] < 0.85


def test_what_counts_as_a_face_is_the_same_by_score_and_by_presence(
    landmarker: FaceLandmarker, portrait: ImageArray, portrait_landmarks: Landmarks
) -> None:
    assert quality(0.0) == 0.5
    region = region_from_landmarks(portrait_landmarks.points)
    for strength in range(1, 14):
        found = landmarker.landmarks(blurred(portrait, strength), region)
        assert (found.presence < 0.5) == (found.score < 0.5)
        assert 0 <= found.score <= 1
