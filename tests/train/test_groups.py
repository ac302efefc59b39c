from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from models.train.groups import compare_groups
from webapp.protocol import LABELS

HAPPY, SAD = LABELS.index("happy"), LABELS.index("sad")


Faces = tuple[list[str], NDArray[np.int64], NDArray[np.float32], NDArray[np.bool_]]


def two_groups(right_of_old: float, count: int = 200) -> Faces:
    """Half happy and half sad faces; of the young all happy ones are named right, of the old a fraction."""
    groups = ["young"] * count + ["old"] * count
    labels = np.tile([HAPPY, SAD], count)
    answers = labels.copy()
    wrong = count + 2 * np.arange(round((1 - right_of_old) * count / 2))
    answers[wrong] = SAD
    return groups, labels, np.eye(7, dtype=np.float32)[answers], np.ones(2 * count, bool)


def test_each_groups_recall_and_gap_to_the_others_are_told() -> None:
    result = compare_groups(*two_groups(right_of_old=0.6))
    assert result["young"]["recall"]["happy"] == 1
    assert result["old"]["recall"]["happy"] == pytest.approx(0.6)
    assert result["old"]["recall"]["sad"] == 1
    gap = result["old"]["gaps"]["accuracy"]
    assert gap["gap"] == pytest.approx(-0.2)
    low, high = gap["interval"]
    assert low < -0.2 < high < 0


def test_a_gap_of_nothing_has_an_interval_around_it() -> None:
    gap = compare_groups(*two_groups(right_of_old=0.98))["old"]["gaps"]["balanced_accuracy"]
    assert gap["interval"][0] <= gap["gap"] <= gap["interval"][1]
    assert gap["interval"][1] >= 0


def test_a_face_that_is_not_found_counts_against_its_group() -> None:
    groups, labels, probabilities, found = two_groups(right_of_old=1.0)
    found[200:240] = False
    old = compare_groups(groups, labels, probabilities, found)["old"]
    assert (old["found"], old["accuracy"]) == pytest.approx((0.8, 0.8))
    assert old["gaps"]["found"]["gap"] == pytest.approx(-0.2)


@pytest.mark.parametrize("groups", [[], ["", "", ""], ["young", "", "young"]])
def test_fewer_than_two_groups_are_not_compared(groups: list[str]) -> None:
    labels = np.full(len(groups), HAPPY)
    probabilities = np.eye(7, dtype=np.float32)[labels]
    assert compare_groups(groups, labels, probabilities, np.ones(len(groups), bool)) == {}


def test_faces_in_no_group_are_left_out() -> None:
    groups, labels, probabilities, found = two_groups(right_of_old=0.6)
    of_all = [*groups, ""], np.append(labels, SAD), np.vstack([probabilities, probabilities[:1]])
    result = compare_groups(*of_all, np.append(found, True))
    assert set(result) == {"old", "young"}
    assert result["old"]["gaps"]["accuracy"]["gap"] == pytest.approx(-0.2)
