from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vision.images import ImageArray, frame, mirrored, turned_clockwise
from webapp.vision.align import CROP_SIZE, LEFT_EYE, MOUTH, RIGHT_EYE, TARGETS, align, crop_matrix
from webapp.vision.detect import FaceDetector
from webapp.vision.landmarks import FaceLandmarker, Landmarks


def difference(one: ImageArray, other: ImageArray) -> float:
    """The mean difference of gray values."""
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


def crop_of(image: ImageArray, detector: FaceDetector, landmarker: FaceLandmarker) -> ImageArray:
    return align(image, landmarker.landmarks(image, detector.detect(image)[0]).points)


def test_a_crop_is_small_and_grey(portrait: ImageArray, portrait_landmarks: Landmarks) -> None:
    crop = align(portrait, portrait_landmarks.points)
    assert crop.shape == (CROP_SIZE, CROP_SIZE) == (48, 48)
    assert crop.dtype == np.uint8
    assert align(portrait, portrait_landmarks.points, size=64).shape == (64, 64)


@pytest.mark.parametrize("points", [RIGHT_EYE, LEFT_EYE, MOUTH])
def test_eyes_and_mouth_come_to_lie_at_the_fixed_places(
    portrait_landmarks: Landmarks, points: tuple[int, int]
) -> None:
    to_crop = cv2.invertAffineTransform(crop_matrix(portrait_landmarks.points, CROP_SIZE))
    x, y = to_crop @ [*portrait_landmarks.points[list(points)].mean(axis=0), 1]
    target = TARGETS[[RIGHT_EYE, LEFT_EYE, MOUTH].index(points)] * CROP_SIZE
    assert (x, y) == pytest.approx((target.real, target.imag), abs=1.2)


def test_dark_eyes_and_light_teeth_are_seen_in_the_crop(
    portrait: ImageArray, portrait_landmarks: Landmarks
) -> None:
    crop = align(portrait, portrait_landmarks.points)
    right, left = crop[17:21, 13:18], crop[17:21, 31:36]
    cheeks = crop[25:28, 12:16].mean(), crop[25:28, 33:37].mean()
    assert max(right.min(), left.min()) < min(cheeks) - 80
    assert crop[35:39, 21:27].max() > 200


@pytest.mark.parametrize("degrees", [-30, 30])
def test_a_tilted_face_gives_nearly_the_same_crop(
    detector: FaceDetector, landmarker: FaceLandmarker, portrait: ImageArray, degrees: int
) -> None:
    upright = crop_of(portrait, detector, landmarker)
    tilted = crop_of(turned_clockwise(portrait, degrees)[0], detector, landmarker)
    assert difference(upright, tilted) < 8 < difference(upright, np.roll(upright, 4, axis=0))


@pytest.mark.parametrize("width", [60, 150, 220])
def test_a_face_of_another_size_gives_nearly_the_same_crop(
    detector: FaceDetector, landmarker: FaceLandmarker, portrait: ImageArray, width: int
) -> None:
    small = crop_of(frame((190, 120, width))[0], detector, landmarker)
    inner = np.s_[6:42, 6:42]
    assert difference(crop_of(portrait, detector, landmarker)[inner], small[inner]) < 8


def test_a_mirrored_face_gives_the_mirrored_crop(
    detector: FaceDetector, landmarker: FaceLandmarker, portrait: ImageArray
) -> None:
    seen = crop_of(mirrored(portrait), detector, landmarker)
    assert difference(mirrored(seen), crop_of(portrait, detector, landmarker)) < 8


def test_grey_images_give_the_crop_of_coloured_ones(
    portrait: ImageArray, portrait_landmarks: Landmarks
) -> None:
    gray = cv2.cvtColor(portrait, cv2.COLOR_BGR2GRAY).astype(np.uint8)
    points = portrait_landmarks.points
    assert difference(align(gray, points), align(portrait, points)) < 0.6


def test_beyond_the_edge_the_last_pixels_are_repeated(portrait_landmarks: Landmarks) -> None:
    light = np.full((130, 512, 3), 200, np.uint8)
    assert (align(light, portrait_landmarks.points) == 200).all()


def test_shrinking_takes_means_and_skips_no_pixel(portrait_landmarks: Landmarks) -> None:
    board: ImageArray = (np.indices((2048, 2048)).sum(axis=0) % 2 * 255).astype(np.uint8)
    crop = align(board, portrait_landmarks.points * 4)
    assert crop.std() < 20  # bilinear sampling alone gives a moire of all greys
    assert crop.mean() == pytest.approx(127.5, abs=3)


@given(turn=st.floats(-3.1, 3.1), scale=st.floats(0.1, 8), x=st.floats(-500, 500), y=st.floats(-500, 500))
def test_the_matrix_is_the_similarity_that_moved_the_points(
    turn: float, scale: float, x: float, y: float
) -> None:
    points = np.zeros((468, 2), np.float32)
    factor, shift = scale * np.exp(1j * turn), x + 1j * y
    for pair, target in zip((RIGHT_EYE, LEFT_EYE, MOUTH), TARGETS, strict=True):
        point = factor * target * 48 + shift
        points[list(pair)] = point.real, point.imag
    expected = [[factor.real, -factor.imag, x], [factor.imag, factor.real, y]]
    assert crop_matrix(points, 48) == pytest.approx(np.array(expected), abs=1e-2)
