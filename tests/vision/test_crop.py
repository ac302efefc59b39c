from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from tests.vision.images import astronaut
from webapp.vision.crop import MAX_CONVERTED, warp_color_crop, warp_crop

SIDE = 96


@pytest.mark.parametrize("scale", [0.7, 1.9, 2.1, 4.0])
@pytest.mark.parametrize("degrees", [0, 25])
def test_a_crop_has_the_same_pixels_however_large_its_patch_is(scale: float, degrees: float) -> None:
    cos, sin = scale * math.cos(math.radians(degrees)), scale * math.sin(math.radians(degrees))
    matrix = np.array([[cos, -sin, 60.0], [sin, cos, 20.0]])
    small = np.ascontiguousarray(astronaut()[:150, :150])
    patches = [small, astronaut()]
    assert small.size < 3 * MAX_CONVERTED * SIDE * SIDE < astronaut().size, "both ways are taken"
    for patch in patches:
        gray = [warp_crop(np.ascontiguousarray(patch[:, :, channel]), matrix, SIDE) for channel in range(3)]
        assert (warp_color_crop(patch, matrix, SIDE) == cv2.merge(gray[::-1])).all()
