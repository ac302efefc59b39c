"""Faces far away: 24 pixels wide in an image of 640 x 480, before a background that has none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.vision.images import FACE, ImageArray, astronaut, overlap, shipped
from webapp.analysis.detection_scheduler import DetectionScheduler
from webapp.analysis.tracker import Tracker
from webapp.config import Settings
from webapp.protocol import Box, Job
from webapp.vision.pipeline import Pipeline

FRAMES_PER_S = 15
SCALE = 24 / FACE.width


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return Pipeline("litert", Settings().model_path)


def far_away(left: int, top: int) -> tuple[bytes, Box]:
    """An image with the small portrait there, and where its face lies."""
    portrait: ImageArray = np.asarray(
        cv2.resize(astronaut(), None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_AREA)
    )
    image = np.asarray(cv2.resize(shipped("coffee"), (640, 480)), np.uint8)
    height, width = portrait.shape[:2]
    image[top : top + height, left : left + width] = portrait
    box = Box(left + FACE.x * SCALE, top + FACE.y * SCALE, FACE.width * SCALE, FACE.height * SCALE)
    return bytes(cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, 80))[1]), box


@pytest.mark.parametrize("position", [(10, 10), (250, 20), (500, 30), (30, 330), (260, 170), (505, 345)])
def test_a_small_face_is_found_within_a_second_and_then_followed(
    pipeline: Pipeline, position: tuple[int, int]
) -> None:
    image, truth = far_away(*position)
    search, tracker = DetectionScheduler(), Tracker(smoothing_s=0.0)
    found_s: list[float] = []
    for now_s in np.arange(0, 2, 1 / FRAMES_PER_S).tolist():
        regions = tracker.regions(now_s)
        found = search.next_detection(now_s, tracking=bool(regions), has_spare_capacity=True)
        analysis = pipeline.analyze(Job(image, regions, *found))
        faces = tracker.update(analysis.faces, now_s, analysis.width)
        found_s += [now_s for face in faces if overlap(face.box, truth) > 0.5]
    assert found_s[0] <= 1
    assert len(found_s) >= (2 - found_s[0]) * FRAMES_PER_S - 2
