"""The pose of a head, from the depth of its face mesh.

The line between two mirror points of a face runs across the head whatever the expression, and the line from
forehead to chin runs down it. The two give the rotation of the head

    R = roll about the line of sight * yaw about the vertical * pitch about the horizontal,

whose last row, with depth growing away from the camera, is (sin yaw, -sin pitch cos yaw, cos pitch cos yaw).
The mesh's depth is an estimate from one image: faces rendered with a rotation of 20 degrees measure 12 to 20.
"""

from __future__ import annotations

import math
import operator

import numpy as np
from numpy.typing import NDArray

from webapp.protocol import Pose

RIGHT_SIDE, LEFT_SIDE = np.array([234, 127, 33, 133, 93]), np.array([454, 356, 263, 362, 323])
"""Mirror points of the face mesh: temples, cheeks and the corners of the eyes, which no expression moves."""

FOREHEAD, CHIN = 10, 152

LEVEL_SLANT_DEG = -10.5
"""The pitch of the line from forehead to chin while a head is level: the median over 480 FER2013 faces."""


def head_pose(points: NDArray[np.float32], depth: NDArray[np.float32]) -> Pose:
    """The pose of the head with these (468, 2) points and (468,) depths, in degrees; see `protocol.Pose`."""
    mesh = np.column_stack([points, depth])
    across = _unit((mesh[LEFT_SIDE] - mesh[RIGHT_SIDE]).sum(axis=0, dtype=np.float64).tolist())
    down = (mesh[CHIN] - mesh[FOREHEAD]).tolist()
    along = sum(map(operator.mul, down, across))
    down = _unit([y - along * x for y, x in zip(down, across, strict=True)])
    away_z = across[0] * down[1] - across[1] * down[0]
    return Pose(
        yaw=math.degrees(math.atan2(across[2], math.hypot(across[0], across[1]))),
        pitch=math.degrees(math.atan2(-down[2], away_z)) - LEVEL_SLANT_DEG,
        roll=math.degrees(math.atan2(across[1], across[0])),
    )


def _unit(vector: list[float]) -> list[float]:
    length = max(math.hypot(*vector), 1e-9)
    return [value / length for value in vector]
