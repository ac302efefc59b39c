from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.vision.images import (
    FACE,
    ImageArray,
    frame,
    mirrored,
    overlap,
    turned_clockwise,
)
from webapp.protocol import Box
from webapp.vision.detect import SHORT_RANGE, FaceDetector, non_maximum_suppression
from webapp.vision.regions import Detection


def only(detections: list[Detection]) -> Detection:
    assert len(detections) == 1
    return detections[0]


def test_the_face_of_a_portrait_is_found(detector: FaceDetector, portrait: ImageArray) -> None:
    found = only(detector.detect(portrait))
    assert overlap(found.box, FACE) > 0.8
    assert 0.85 < found.score <= 1


def test_the_short_range_network_finds_a_face_that_fills_the_picture(portrait: ImageArray) -> None:
    near = np.ascontiguousarray(portrait[60:185, 165:280])
    found = only(FaceDetector(SHORT_RANGE).detect(near))
    assert overlap(found.box, Box(FACE.x - 165, FACE.y - 60, FACE.width, FACE.height)) > 0.75
    nose = found.keypoints[2]
    assert np.abs(nose - (224 - 165, 127 - 60)).max() < 6


def test_keypoints_lie_on_eyes_nose_and_mouth(detector: FaceDetector, portrait: ImageArray) -> None:
    right_eye, left_eye, nose, mouth = only(detector.detect(portrait)).keypoints[:4]
    expected = np.array([(203, 101), (247, 102), (224, 127), (223, 146)])
    assert np.abs(np.array([right_eye, left_eye, nose, mouth]) - expected).max() < 6


@pytest.mark.parametrize("width", [60, 100, 200, 220])
def test_faces_from_60_pixels_to_most_of_the_frame_are_found(detector: FaceDetector, width: int) -> None:
    image, (truth,) = frame((190, 120, width))
    assert overlap(only(detector.detect(image)).box, truth) > 0.7


def test_faces_of_42_pixels_are_found_nearly_everywhere(detector: FaceDetector) -> None:
    positions = [(x, y, 42) for x in (60, 201, 343, 512) for y in (70, 203, 377)]
    frames = [frame(position) for position in positions]
    found = [
        any(overlap(one.box, truth) > 0.6 for one in detector.detect(image)) for image, (truth,) in frames
    ]
    assert sum(found) >= len(positions) - 1


@pytest.mark.parametrize("degrees", [-30, 30])
def test_a_tilted_face_is_found(detector: FaceDetector, portrait: ImageArray, degrees: int) -> None:
    turned, _ = turned_clockwise(portrait, degrees)
    assert overlap(only(detector.detect(turned)).box, FACE) > 0.65


def test_a_mirrored_picture_gives_the_mirrored_box(detector: FaceDetector, portrait: ImageArray) -> None:
    found = only(detector.detect(mirrored(portrait)))
    truth = Box(512 - FACE.x - FACE.width, FACE.y, FACE.width, FACE.height)
    assert overlap(found.box, truth) > 0.8


@pytest.mark.parametrize(
    "kept",
    [np.s_[:, :238], np.s_[:, 205:], np.s_[:120, :], np.s_[95:, :]],
    ids=["right", "left", "bottom", "top"],
)
def test_a_face_cut_by_the_edge_of_the_picture_is_found(
    detector: FaceDetector, portrait: ImageArray, kept: tuple[slice, ...]
) -> None:
    found = only(detector.detect(np.ascontiguousarray(portrait[kept])))
    top, left = (part.start or 0 for part in kept)
    truth = Box(FACE.x - left, FACE.y - top, FACE.width, FACE.height)
    assert overlap(found.box, truth) > 0.5


def test_all_faces_of_one_picture_are_found_once(detector: FaceDetector) -> None:
    image, truths = frame((60, 60, 75), (260, 70, 80), (480, 60, 76), (90, 280, 100), (420, 270, 115))
    found = detector.detect(image)
    assert len(found) == len(truths)
    assert all(max(overlap(one.box, truth) for one in found) > 0.7 for truth in truths)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


@pytest.mark.parametrize("shape", [(200, 900), (900, 200), (1900, 2000)])
def test_images_of_any_shape_are_letterboxed_not_stretched(
    detector: FaceDetector, portrait: ImageArray, shape: tuple[int, int]
) -> None:
    canvas = np.full((*shape, 3), 90, np.uint8)
    scale = min(shape) / 300
    part = cv2.resize(portrait[20:220, 120:320], None, fx=scale, fy=scale)
    canvas[: part.shape[0], : part.shape[1]] = part
    truth = Box((FACE.x - 120) * scale, (FACE.y - 20) * scale, FACE.width * scale, FACE.height * scale)
    assert overlap(detector.detect(canvas)[0].box, truth) > 0.65


def test_a_picture_before_leaves_nothing_behind(detector: FaceDetector, portrait: ImageArray) -> None:
    alone = only(detector.detect(portrait))
    detector.detect(np.full((600, 300, 3), 255, np.uint8))
    detector.detect(np.full((300, 600, 3), 255, np.uint8))
    assert only(detector.detect(portrait)).box == alone.box


@pytest.mark.parametrize("image", [np.zeros((480, 640, 3), np.uint8), np.full((1, 1, 3), 200, np.uint8)])
def test_plain_images_have_no_faces(detector: FaceDetector, image: ImageArray) -> None:
    assert detector.detect(image) == []


def row(left: float, top: float, right: float, bottom: float) -> list[float]:
    return [left, top, right, bottom, *[left] * 12]


def test_suppression_merges_one_face_weighted_by_score_and_keeps_the_other() -> None:
    rows = np.array([row(100, 0, 140, 40), row(0, 0, 40, 40), row(4, 0, 44, 40)], np.float32)
    merged, scores = non_maximum_suppression(rows, np.array([0.7, 0.6, 0.9], np.float32))
    assert scores == pytest.approx([0.9, 0.7])
    assert merged[0, :4] == pytest.approx([2.4, 0, 42.4, 40], abs=1e-4)
    assert merged[1] == pytest.approx(rows[0])


def test_suppression_ends_on_boxes_without_area() -> None:
    rows = np.array([row(5, 5, 5, 5), row(5, 5, 5, 5)], np.float32)
    merged, _ = non_maximum_suppression(rows, np.array([0.9, 0.8], np.float32))
    assert len(merged) == 2
