from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from models.train.data import UNKNOWN
from models.train.evaluate import calibration_error, report, score

ANGRY, DISGUST, FEAR, HAPPY = range(4)
LABELLED = np.array([ANGRY, ANGRY, ANGRY, ANGRY, HAPPY, HAPPY, FEAR, UNKNOWN])
ANSWERED = np.array([ANGRY, ANGRY, ANGRY, HAPPY, HAPPY, ANGRY, HAPPY, HAPPY])


def sure_of(answers: NDArray[np.int64]) -> NDArray[np.float32]:
    return np.eye(7, dtype=np.float32)[answers]


def test_figures_are_those_worked_out_by_hand() -> None:
    """Of 4 angry faces 3 are right, of 2 happy 1, of 1 fearful 0; the face without a label does not count."""
    result = score(LABELLED, sure_of(ANSWERED))
    assert result.confusion[ANGRY].tolist() == [3, 0, 0, 1, 0, 0, 0]
    assert result.confusion[FEAR].tolist() == [0, 0, 0, 1, 0, 0, 0]
    assert result.confusion.sum() == 7
    assert result.accuracy == pytest.approx(4 / 7)
    assert result.recall[[ANGRY, HAPPY, FEAR]] == pytest.approx([3 / 4, 1 / 2, 0])
    assert result.precision[[ANGRY, HAPPY, FEAR]] == pytest.approx([3 / 4, 1 / 3, 0])
    assert result.f1[[ANGRY, HAPPY]] == pytest.approx([3 / 4, 2 / 5])
    assert result.balanced_accuracy == pytest.approx((3 / 4 + 1 / 2 + 0) / 3)


def test_the_json_form_holds_the_same_figures() -> None:
    figures = score(LABELLED, sure_of(ANSWERED)).as_dict()
    assert figures["images"] == 7
    assert figures["macro_f1"] == pytest.approx((3 / 4 + 2 / 5) / 7)
    assert figures["classes"]["happy"]["recall"] == pytest.approx(1 / 2)
    assert figures["confusion"][HAPPY] == [1, 0, 0, 1, 0, 0, 0]


def test_calibration_is_the_mean_gap_between_confidence_and_being_right() -> None:
    """Four answers at 0.9, of which two are right, and one at 0.3 that is wrong: (4 * 0.4 + 0.3) / 5."""
    right = np.array([True, True, False, False, False])
    confidence = np.array([0.9, 0.9, 0.9, 0.9, 0.3], np.float32)
    assert calibration_error(right, confidence) == pytest.approx((4 * 0.4 + 0.3) / 5)


def test_the_table_names_every_label() -> None:
    table = report(score(LABELLED, sure_of(ANSWERED)))
    assert "accuracy 57.14%" in table
    assert [line.split()[0] for line in table.splitlines()[2:]] == [
        "angry", "disgust", "fear", "happy", "sad", "surprise", "neutral",
    ]  # fmt: skip
