from __future__ import annotations

import numpy as np
import pytest

from models.train.data import UNKNOWN
from models.train.intervals import bootstrap, score_intervals
from models.train.scores import score


def test_the_interval_of_a_mean_is_as_wide_as_theory_has_it() -> None:
    values = np.random.default_rng(1).normal(5, 2, 400)
    low, high = bootstrap(400, lambda drawn: {"mean": float(values[drawn].mean())})["mean"]
    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.96 * 2 / 20, rel=0.15)


def test_a_score_of_many_faces_is_surer_than_one_of_few() -> None:
    rng = np.random.default_rng(2)

    def width(count: int) -> float:
        labels = rng.integers(0, 7, count)
        answers = np.where(rng.random(count) < 0.7, labels, (labels + 1) % 7)
        probabilities = np.eye(7, dtype=np.float32)[answers]
        low, high = score_intervals(labels, probabilities, np.ones(count, bool))["accuracy"]
        assert low < 0.7 < high
        return high - low

    assert width(100) > 2 * width(1600)


def test_intervals_count_missing_faces_as_errors_and_leave_out_those_without_a_label() -> None:
    labels = np.array([3] * 40 + [UNKNOWN] * 40)
    probabilities = np.eye(7, dtype=np.float32)[np.full(80, 3)]
    found = np.arange(80) % 2 == 0
    low, high = score_intervals(labels, probabilities, found)["recall_happy"]
    assert 0.3 < low < 0.5 < high < 0.7


def test_labels_that_are_rare_or_missing_lower_nothing() -> None:
    """Of three expressions, one of a single face, all are named right."""
    labels = np.array([0] * 20 + [1] * 20 + [2])
    probabilities = np.eye(7, dtype=np.float32)[labels]
    assert score(labels, probabilities).macro_f1 == 1.0
    found = score_intervals(labels, probabilities, np.ones(len(labels), bool))
    assert found["macro_f1"] == found["recall_fear"] == found["balanced_accuracy"] == (1.0, 1.0)
    assert found["recall_sad"] == (0.0, 0.0), "it never occurs"


def test_without_labels_there_are_no_intervals() -> None:
    probabilities = np.full((3, 7), 1 / 7, np.float32)
    assert score_intervals(np.full(3, UNKNOWN), probabilities, np.ones(3, bool)) == {}
