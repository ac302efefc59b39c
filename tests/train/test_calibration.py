from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from models.train.calibration import FOLDS, REPEATS, as_logits, best_calibration, cross_validated, hold_out
from models.train.data import UNKNOWN
from models.train.scores import score
from webapp.protocol import LABELS


def test_answers_that_are_too_sure_and_lean_to_one_side_are_calibrated() -> None:
    """Labels drawn from a softmax, as if each expression were as frequent as any other."""
    rng = np.random.default_rng(2)
    logits = rng.normal(0, 1, (40_000, 7))
    labels = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    leaning = np.array([1, -1, 0, 0, 0, 0, 0.0])
    scale, shift = best_calibration((3 * (logits + leaning)).astype(np.float32), labels)
    assert scale == pytest.approx(1 / 3, rel=0.05)
    assert shift == pytest.approx(-leaning, abs=0.06)


def test_a_rare_expression_counts_for_more_than_its_number() -> None:
    """Every tenth of faces that all look alike is of one kind; its odds are then the root of a ninth."""
    labels = np.where(np.arange(1000) % 10 == 0, 1, 0)
    _, shift = best_calibration(np.zeros((1000, 2), np.float32), labels)
    assert np.exp(shift[1] - shift[0]) == pytest.approx((1 / 9) ** 0.5, rel=0.01)


def guesses(count: int, seed: int = 3) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Probabilities that know nothing of the labels beside them."""
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(len(LABELS)), count).astype(np.float32)
    return probabilities, rng.integers(0, len(LABELS), count)


def test_on_few_faces_the_fit_flatters_its_own_calibration_error_and_not_the_held_out_one() -> None:
    """Faces that are guessed: what fits them says nothing about the next ones."""
    fitted, held_out = [], []
    for seed in range(10):
        probabilities, labels = guesses(60, seed)
        scale, shift = best_calibration(as_logits(probabilities), labels)
        logits = scale * as_logits(probabilities) + shift
        own = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        fitted.append(score(labels, own.astype(np.float32)).calibration_error)
        folds = hold_out(probabilities, labels)
        held_out.append(
            cross_validated([of.apply(probabilities) for of in folds], labels)["calibration_error"]
        )
    assert np.mean(held_out) > 1.15 * np.mean(fitted)


def test_a_face_is_calibrated_without_its_own_label() -> None:
    probabilities, labels = guesses(50)
    folds = hold_out(probabilities, labels)[0]
    other = np.where(folds.fold == 2, (labels + 1) % len(LABELS), labels)
    changed = hold_out(probabilities, other)[0]
    before, after = folds.apply(probabilities), changed.apply(probabilities)
    assert np.array_equal(before[folds.fold == 2], after[folds.fold == 2])
    assert not np.allclose(before[folds.fold != 2], after[folds.fold != 2])


def test_an_earlier_calibration_of_the_same_faces_makes_no_difference() -> None:
    """Else the fit on all faces would shine through, as those of the fold are among them."""
    probabilities, labels = guesses(400)
    scale, shift = best_calibration(as_logits(probabilities), labels)
    logits = scale * as_logits(probabilities) + shift
    calibrated = (np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)).astype(np.float32)
    first, second = hold_out(probabilities, labels)[0], hold_out(calibrated, labels)[0]
    assert second.apply(calibrated) == pytest.approx(first.apply(probabilities), abs=0.005)


def test_folds_share_out_the_labelled_faces_evenly() -> None:
    probabilities, labels = guesses(53)
    labels[:20] = UNKNOWN
    folds = hold_out(probabilities, labels)[0]
    assert sorted(np.bincount(folds.fold[labels != UNKNOWN], minlength=FOLDS)) == [6, 6, 7, 7, 7]


def test_too_few_faces_are_not_held_out() -> None:
    probabilities, labels = guesses(12)
    labels[FOLDS - 1 :] = UNKNOWN
    assert hold_out(probabilities, labels) == []


def test_each_repeat_draws_other_folds_and_figures_are_their_mean() -> None:
    probabilities, labels = guesses(60)
    folds = hold_out(probabilities, labels)
    assert len(folds) == REPEATS
    assert not np.array_equal(folds[0].fold, folds[1].fold)
    draws = [of.apply(probabilities) for of in folds]
    accuracies = [score(labels, draw).accuracy for draw in draws]
    figures = cross_validated(draws, labels)
    assert figures["accuracy"] == pytest.approx(np.mean(accuracies))
    assert figures["images"] == 60
