from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from models.train import augment
from models.train.augment import vary
from models.train.settings import Settings
from models.train.views import Face, Random
from tests.train.data_files import astronaut_face

STILL = replace(
    Settings(),
    rotation_degrees=0.0,
    scale=0.0,
    shift=0.0,
    light=0.0,
    contrast=0.0,
    corruption_rate=0.0,
    cutout_rate=0.0,
)


def test_without_variations_a_face_comes_back_as_it_is_or_mirrored() -> None:
    face = astronaut_face()
    kinds = set()
    for seed in range(20):
        varied = vary(face, STILL, np.random.default_rng(seed))
        mirrored = np.abs(varied[:, ::-1].astype(int) - face).max() <= 1
        assert mirrored or np.abs(varied.astype(int) - face).max() <= 1
        kinds.add(mirrored)
    assert kinds == {True, False}


def test_the_same_seed_gives_the_same_image_and_leaves_the_face_alone() -> None:
    face = astronaut_face()
    first, second = (vary(face, Settings(), np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, vary(face, Settings(), np.random.default_rng(6)))
    assert np.array_equal(face, astronaut_face())


@pytest.mark.parametrize(
    "change", [augment.blurred, augment.shrunk, augment.dimmed, augment.noisy, augment.compressed]
)
def test_every_corruption_changes_the_image_but_not_beyond_recognition(
    change: Callable[[Face, Random], Face],
) -> None:
    face = astronaut_face()
    for seed in range(10):
        corrupted = change(face, np.random.default_rng(seed))
        assert corrupted.shape == face.shape
        assert corrupted.dtype == np.uint8
        assert not np.array_equal(corrupted, face)
        assert np.corrcoef(corrupted.ravel(), face.ravel())[0, 1] > 0.5


def test_a_patch_or_the_lower_part_is_cut_out() -> None:
    face = astronaut_face()
    masks = 0
    for seed in range(40):
        changed = augment.cut_out(face, np.random.default_rng(seed)) != face
        rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
        mask = rows[-1] == 47 and len(columns) == 48
        assert rows[0] >= 26 if mask else len(rows) * len(columns) <= 24 * 24
        masks += mask
    assert 4 <= masks <= 20


def test_a_shift_stays_within_its_limit() -> None:
    settings = replace(STILL, shift=0.1)
    dot = np.zeros((48, 48), np.uint8)
    dot[24, 24] = 255
    for seed in range(20):
        row, column = np.argwhere(vary(dot, settings, np.random.default_rng(seed)) > 40).mean(axis=0)
        assert abs(row - 24) <= 5.5
        assert abs(column - 23.5) <= 6
