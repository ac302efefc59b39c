from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.train.targets import targets
from models.train.teachers.batches import TeacherBatches, cutmix, mixup
from models.train.teachers.settings import TeacherSettings
from tests.train.data_files import light_and_dark

SETTINGS = replace(TeacherSettings(), batch=4, cutout_rate=0.0, light=0.0, contrast=0.0, mixing_rate=0.0)


def batches(settings: TeacherSettings = SETTINGS) -> TeacherBatches:
    faces = light_and_dark(14)
    return TeacherBatches(faces.images, targets(faces, 0.0), settings)


def test_an_epoch_shows_every_face_once_in_an_order_of_its_own() -> None:
    first, again, second = (batches().order(epoch) for epoch in (0, 0, 1))
    assert first.shape == (3, 4)
    assert len(set(first.ravel())) == 12
    assert np.array_equal(first, again) and not np.array_equal(first, second)


def test_every_face_comes_at_the_wanted_side_with_its_own_target() -> None:
    chosen = np.array([0, 1, 2, 3])
    faces, wanted = batches().batch(chosen, 32, True, np.random.default_rng(1))
    assert faces.shape == (4, 1, 32, 32) and faces.dtype == np.float32
    assert (faces.mean(axis=(1, 2, 3)) > 128).tolist() == [False, True, False, True]
    assert wanted["label"].argmax(axis=1).tolist() == [0, 3, 0, 3]


def test_the_same_chance_gives_the_same_batch() -> None:
    settings = replace(SETTINGS, mixing_rate=0.5, cutout_rate=0.5, contrast=0.3)
    first, again, other = (
        batches(settings).batch(np.arange(4), 48, True, np.random.default_rng(seed))[0] for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_faces_are_not_mixed_where_they_are_to_stay_as_they_are() -> None:
    settings = replace(SETTINGS, mixing_rate=1.0, cutout_rate=1.0)
    for seed in range(5):
        _, wanted = batches(settings).batch(np.arange(4), 48, False, np.random.default_rng(seed))
        assert set(wanted["label"].ravel()) == {0, 1}


@pytest.mark.parametrize("mix", [mixup, cutmix])
@pytest.mark.parametrize("fraction", [0.25, 0.6, 1.0])
def test_a_target_is_mixed_as_much_as_its_face(mix: object, fraction: float) -> None:
    """Even faces of 0 and 100: the mean grey value says how much of each face is there."""
    assert callable(mix)
    faces = np.repeat(np.array([0, 100], np.float32), 48 * 48).reshape(2, 1, 48, 48)
    wanted = {"label": np.array([[0.0], [1.0]], np.float32)}
    mixed, rows = mix(faces, wanted, fraction, np.random.default_rng(1))
    assert mixed.mean(axis=(1, 2, 3)) == pytest.approx(100 * rows["label"][:, 0], abs=0.01)
    assert rows["label"][:, 0] == pytest.approx([1 - fraction, fraction], abs=0.03)
    assert np.array_equal(faces[0], np.zeros((1, 48, 48)))
