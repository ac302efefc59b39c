from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.train.batches import Batches, label_targets, mixed_targets, mixed_up, vote_targets
from models.train.data import UNKNOWN, FaceSet
from models.train.settings import Settings
from tests.train.data_files import light_and_dark, noise, votes


def test_labels_are_smoothed_and_an_unknown_one_asks_for_nothing() -> None:
    faces = FaceSet(noise(2), np.array([3, UNKNOWN]), np.zeros((2, 10), np.float32))
    rows = label_targets(faces, smoothing=0.7)
    assert rows[0] == pytest.approx([0.1, 0.1, 0.1, 0.4, 0.1, 0.1, 0.1])
    assert rows[1].tolist() == [0] * 7


def test_what_teachers_say_is_mixed_in_and_stands_alone_where_nothing_is_known() -> None:
    known = np.array([[1, 0], [0, 0]], np.float32)
    taught = np.array([[0.2, 0.8], [0.3, 0.7]], np.float32)
    mixed = mixed_targets({"label": known}, {"label": taught}, 0.25)["label"]
    assert mixed == pytest.approx(np.array([[0.8, 0.2], [0.3, 0.7]]))


def test_votes_become_parts_without_single_votes_and_without_the_unsure() -> None:
    counts = [votes(neutral=6, sadness=2, fear=1, unknown=1), votes(anger=1, unknown=9), votes(NF=10)]
    rows = vote_targets(FaceSet(noise(3), np.zeros(3, np.int64), np.array(counts, np.float32)))
    assert rows[0] == pytest.approx([0.75, 0, 0, 0.25, 0, 0, 0, 0])
    assert rows[1:].tolist() == [[0] * 8] * 2


def test_an_epoch_can_be_made_again_and_the_next_one_differs() -> None:
    settings = replace(Settings(), batch=4)
    batches, again = (Batches(light_and_dark(12), settings) for _ in range(2))
    again.start_epoch(1)
    later = again[0][0]
    assert not np.array_equal(batches[0][0], later)
    again.start_epoch(0)
    for index in range(len(batches)):
        assert np.array_equal(batches[index][0], again[index][0])


def test_every_face_comes_with_its_own_target() -> None:
    batches = Batches(light_and_dark(12), replace(Settings(), batch=4, cover_rate=0.0, light=0.0))
    for index in range(len(batches)):
        images, rows = batches[index]
        assert images.shape == (4, 48, 48, 1)
        light = images.mean(axis=(1, 2, 3)) > 128
        assert (rows["label"].argmax(axis=1) == np.where(light, 3, 0)).all()
        assert (rows["votes"].argmax(axis=1) == np.where(light, 1, 4)).all()


def test_a_face_laid_over_another_takes_as_much_of_its_target() -> None:
    faces = np.repeat(np.array([0, 100, 200], np.float32), 48 * 48).reshape(3, 48, 48, 1)
    wanted = {"label": np.array([[0.0], [1.0], [2.0]], np.float32)}
    mixed, rows = mixed_up(faces, wanted, 1.0, np.random.default_rng(1))
    parts = rows["label"][:, 0] / 2 - np.array([0, 0.5, 1])
    assert (np.abs(parts) > 0.01).all() and parts[1] >= -0.25
    assert mixed.mean(axis=(1, 2, 3)) == pytest.approx(rows["label"][:, 0] * 100, abs=0.01)
    untouched, rows = mixed_up(faces, wanted, 0.0, np.random.default_rng(1))
    assert np.array_equal(untouched, faces) and np.array_equal(rows["label"], wanted["label"])
