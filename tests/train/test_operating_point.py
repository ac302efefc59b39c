from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import softmax

from models.train.calibration import fit_output
from models.train.operating_point import MAX_ACCURACY_LOSS, best_shift, rarity
from models.train.scores import Score, score


def skewed_faces(count: int = 6000) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Calibrated logits of labels of which one is rare: a model that is right about how rare it is."""
    rng = np.random.default_rng(4)
    prior = np.array([0.02, 0.1, 0.1, 0.28, 0.15, 0.15, 0.2])
    labels = rng.choice(7, count, p=prior)
    evidence = 1.2 * np.eye(7)[labels] + rng.normal(0, 1, (count, 7))
    return 1.2 * evidence + np.log(prior), labels


def scored(logits: NDArray[np.float64], labels: NDArray[np.int64]) -> Score:
    return score(labels, softmax(logits, axis=1).astype(np.float32))


def test_the_operating_point_finds_more_of_rare_expressions_for_hardly_any_accuracy() -> None:
    logits, labels = skewed_faces()
    before = scored(logits, labels)
    after = scored(logits + best_shift(logits, labels), labels)
    assert after.recall[0] > before.recall[0] + 0.03
    assert after.balanced_accuracy > before.balanced_accuracy + 0.01
    assert after.accuracy >= before.accuracy - MAX_ACCURACY_LOSS - 1e-9


def test_a_rarer_label_is_raised_more_and_one_that_never_occurs_stays_finite() -> None:
    shift = rarity(np.array([0] * 90 + [1] * 9 + [2]), 4)
    assert shift.sum() == pytest.approx(0)
    assert shift[0] < shift[1] < shift[2] == shift[3]
    assert shift[1] - shift[0] == pytest.approx(np.log(10))


def test_where_all_are_equally_frequent_nothing_is_shifted() -> None:
    labels = np.tile(np.arange(7), 20)
    assert best_shift(np.random.default_rng(1).normal(size=(140, 7)), labels) == pytest.approx(np.zeros(7))


def test_what_is_served_is_calibrated_and_then_moved() -> None:
    logits, labels = skewed_faces()
    scale, shift = fit_output((2 * logits).astype(np.float32), labels)
    assert scale == pytest.approx(0.5, rel=0.1)
    served = scored(scale * 2 * logits + shift, labels)
    assert served.recall[0] > scored(logits, labels).recall[0]
