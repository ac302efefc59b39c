from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.train.settings import Settings
from models.train.views import MIRRORED, UPRIGHT, View, random_view, render
from tests.train.data_files import astronaut_face

VIEWS = st.builds(
    View,
    rotation_degrees=st.floats(-30, 30, width=32),
    scale=st.floats(0.5, 2, width=32),
    shift_x=st.floats(-0.25, 0.25, width=32),
    shift_y=st.floats(-0.25, 0.25, width=32),
    mirrored=st.booleans(),
)


@given(VIEWS)
def test_a_view_survives_the_row_that_a_bank_keeps(view: View) -> None:
    assert View.from_row(view.as_row()) == view


def test_the_upright_view_is_the_face_and_the_mirrored_one_its_mirror_image() -> None:
    face = astronaut_face()
    assert np.array_equal(render(face, UPRIGHT, 48), face)
    assert np.array_equal(render(face, MIRRORED, 48), face[:, ::-1])


def test_a_view_shifts_by_fractions_of_the_side_whatever_the_side() -> None:
    dot = np.zeros((48, 48), np.uint8)
    dot[22:26, 22:26] = 255
    for side in (32, 48, 64):
        rows, columns = np.nonzero(render(dot, View(shift_x=0.25, shift_y=-0.125), side) > 100)
        assert columns.mean() == pytest.approx(0.75 * side - 0.5, abs=1)
        assert rows.mean() == pytest.approx(0.375 * side - 0.5, abs=1)


def test_positive_rotation_is_clockwise_and_scale_enlarges() -> None:
    dot = np.zeros((48, 48), np.uint8)
    dot[23:25, 34:36] = 255
    rows, columns = np.nonzero(render(dot, View(rotation_degrees=90, scale=1.5), 48) > 60)
    assert columns.mean() == pytest.approx(23.5, abs=1)
    assert rows.mean() == pytest.approx(23.5 + 1.5 * 11, abs=1)


def test_random_views_stay_within_their_limits_and_reach_them() -> None:
    limits = replace(Settings(), rotation_degrees=10.0, scale=0.2, shift=0.05)
    views = [random_view(limits, np.random.default_rng(seed)) for seed in range(300)]
    assert 9 < max(abs(view.rotation_degrees) for view in views) <= 10
    assert 1.15 < max(view.scale for view in views) <= np.exp(0.2)
    assert 0.045 < max(max(abs(view.shift_x), abs(view.shift_y)) for view in views) <= 0.05
    assert 100 < sum(view.mirrored for view in views) < 200
