"""Where a face is: a detection, and the rotated square around it that is the input of the face mesh.

Coordinates are pixels of the image, x to the right and y down, with (0, 0) at the outer corner of the first
pixel, whose center is thus at (0.5, 0.5). Angles are radians, clockwise in the image.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from webapp.protocol import Box, Region

REGION_SCALE = 1.5
"""The region's side over the longer side of the face's box, as the face mesh was trained."""

RIGHT_EYE_KEYPOINT, LEFT_EYE_KEYPOINT = 0, 1
RIGHT_EYE_OUTER, LEFT_EYE_OUTER = 33, 263
"""The outer corners of the eyes in the face mesh."""


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """A face as the detector finds it.

    `score` is 0 to 1. `keypoints` is (6, 2) float32: right eye, left eye, tip of the nose, mouth, right
    ear, left ear, the person's own right and left.
    """

    box: Box
    score: float
    keypoints: NDArray[np.float32]

    def shifted(self, x: float, y: float) -> Detection:
        """The detection, made in a tile whose corner is at (x, y), in coordinates of the image."""
        box = self.box._replace(x=self.box.x + x, y=self.box.y + y)
        return Detection(box, self.score, self.keypoints + np.array([x, y], np.float32))

    def scaled(self, factor: float) -> Detection:
        """The detection in coordinates of an image that is `factor` times as large."""
        return Detection(
            Box(*(factor * value for value in self.box)), self.score, np.float32(factor) * self.keypoints
        )


def region_matrix(region: Region, side: int) -> NDArray[np.float64]:
    """The (2, 3) affine map from a crop of `side` x `side` pixels to the image, corner based."""
    scale = region.size / side
    cos, sin = scale * math.cos(region.roll), scale * math.sin(region.roll)
    half = side / 2
    return np.array([[cos, -sin, region.x - (cos - sin) * half], [sin, cos, region.y - (sin + cos) * half]])


def region_from_detection(detection: Detection) -> Region:
    """The region of a detected face, upright along the line between its eyes."""
    box = detection.box
    return Region(
        x=box.x + box.width / 2,
        y=box.y + box.height / 2,
        size=REGION_SCALE * max(box.width, box.height),
        roll=_roll(detection.keypoints[RIGHT_EYE_KEYPOINT], detection.keypoints[LEFT_EYE_KEYPOINT]),
    )


def region_from_landmarks(points: NDArray[np.float32]) -> Region:
    """The region of a face from its (468, 2) landmarks, such as those of the last frame.

    It is the box around the points in the face's own upright frame, enlarged like a detection's.
    """
    roll = _roll(points[RIGHT_EYE_OUTER], points[LEFT_EYE_OUTER])
    cos, sin = math.cos(roll), math.sin(roll)
    upright = points @ np.array([[cos, -sin], [sin, cos]], np.float32)
    low, high = upright.min(axis=0), upright.max(axis=0)
    center_x, center_y = ((low + high) / 2).tolist()
    return Region(
        x=cos * center_x - sin * center_y,
        y=sin * center_x + cos * center_y,
        size=REGION_SCALE * float((high - low).max()),
        roll=roll,
    )


def _roll(right_eye: NDArray[np.float32], left_eye: NDArray[np.float32]) -> float:
    """The angle of the line from the person's right eye, on the left of the image, to their left eye."""
    along, down = (left_eye - right_eye).tolist()
    return math.atan2(down, along)
