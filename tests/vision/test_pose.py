from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.interpolate import LinearNDInterpolator

from tests.vision.images import ImageArray, astronaut, mirrored, turned_clockwise
from webapp.protocol import Pose
from webapp.vision.detect import FaceDetector
from webapp.vision.landmarks import FaceLandmarker, Landmarks
from webapp.vision.pose import head_pose


def rotation(yaw: float, pitch: float, roll: float) -> NDArray[np.float64]:
    """x right, y down, depth away: own left, up and clockwise are positive; all in degrees."""
    (sy, sp, sr), (cy, cp, cr) = (f(np.radians([yaw, pitch, roll])) for f in (np.sin, np.cos))
    about_vertical = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
    about_horizontal = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    about_sight = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return np.asarray(about_sight @ about_vertical @ about_horizontal)


def mesh_of(landmarks: Landmarks) -> NDArray[np.float64]:
    mesh = np.column_stack([landmarks.points, landmarks.depth]).astype(np.float64)
    return np.asarray(mesh - np.array([*mesh.mean(axis=0)[:2], mesh[[234, 454], 2].mean()]))


def posed(landmarks: Landmarks, yaw: float, pitch: float) -> ImageArray:
    """The portrait with its face drawn anew, its head turned so much further."""
    mesh, center = mesh_of(landmarks), landmarks.points.mean(axis=0)
    turned = (mesh @ rotation(yaw, pitch, 0).T)[:, :2] + center
    around = np.array([(x, y) for x in (100, 220, 340) for y in (0, 120, 250) if (x, y) != (220, 120)])
    come_from = LinearNDInterpolator(np.vstack([turned, around]), np.vstack([landmarks.points, around]), -1)
    rows, columns = np.indices(astronaut().shape[:2])
    source = come_from(columns, rows).astype(np.float32)
    return np.asarray(cv2.remap(astronaut(), source[..., 0], source[..., 1], cv2.INTER_LINEAR), np.uint8)


def pose_in(image: ImageArray, detector: FaceDetector, landmarker: FaceLandmarker) -> Pose:
    points, depth, *_ = landmarker.landmarks(image, detector.detect(image)[0])
    return head_pose(points, depth)


def test_a_head_that_faces_the_camera_has_no_turn(portrait_landmarks: Landmarks) -> None:
    pose = head_pose(portrait_landmarks.points, portrait_landmarks.depth)
    assert np.abs(pose).max() < 5


@pytest.mark.parametrize(
    ("yaw", "pitch", "roll"), [(30, 0, 0), (-30, 0, 0), (0, 25, 0), (0, -25, 0), (0, 0, 40), (20, -15, 30)]
)
def test_the_angles_of_a_turned_mesh_are_read_back(
    portrait_landmarks: Landmarks, yaw: float, pitch: float, roll: float
) -> None:
    start = head_pose(portrait_landmarks.points, portrait_landmarks.depth)
    level = rotation(start.yaw, start.pitch, start.roll)
    turned = mesh_of(portrait_landmarks) @ (rotation(yaw, pitch, roll) @ level.T).T
    found = head_pose(turned[:, :2].astype(np.float32), turned[:, 2].astype(np.float32))
    assert found == pytest.approx((yaw, pitch, roll), abs=0.5)


@pytest.mark.slow
@pytest.mark.parametrize(("yaw", "pitch"), [(20, 0), (-20, 0), (0, 15), (0, -15)])
def test_a_head_that_turns_in_the_picture_is_seen_to_turn_that_way(
    detector: FaceDetector,
    landmarker: FaceLandmarker,
    portrait_landmarks: Landmarks,
    yaw: float,
    pitch: float,
) -> None:
    found = pose_in(posed(portrait_landmarks, yaw, pitch), detector, landmarker)
    assert found.yaw == pytest.approx(yaw, abs=9)
    assert found.pitch == pytest.approx(pitch, abs=7)


@pytest.mark.parametrize("degrees", [-30, -15, 15, 30])
def test_a_head_that_tips_changes_its_roll_alone(
    detector: FaceDetector,
    landmarker: FaceLandmarker,
    portrait: ImageArray,
    portrait_landmarks: Landmarks,
    degrees: float,
) -> None:
    upright = head_pose(portrait_landmarks.points, portrait_landmarks.depth)
    found = pose_in(turned_clockwise(portrait, degrees)[0], detector, landmarker)
    assert found.roll - upright.roll == pytest.approx(degrees, abs=2)
    assert found[:2] == pytest.approx(upright[:2], abs=4)


def test_a_mirror_turns_yaw_and_roll_round(
    detector: FaceDetector, landmarker: FaceLandmarker, portrait_landmarks: Landmarks
) -> None:
    image = posed(portrait_landmarks, 20, 0)
    found, seen = (pose_in(one, detector, landmarker) for one in (image, mirrored(image)))
    assert seen == pytest.approx((-found.yaw, found.pitch, -found.roll), abs=5)


def test_points_without_extent_give_angles_all_the_same() -> None:
    assert np.isfinite(head_pose(np.zeros((468, 2), np.float32), np.zeros(468, np.float32))).all()
