"""Calibration of the network's logits, and how well it does on faces that it was not fitted on.

Vector scaling with one scale for all expressions (Guo et al. 2017, arXiv 1706.04599).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from models.train.data import UNKNOWN
from models.train.operating_point import best_shift
from models.train.scores import score
from webapp.protocol import LABELS

CALIBRATED_ON = "validation"
"""The split that `export` fits the calibration on."""

RARE_COUNT = 0.5
"""Faces count in the calibration as the rarity of their expression to this power.

With 0 they count as they come, with 1 every expression counts alike. Of the network plain40 that makes the
recall of disgust 52% in place of 46%, the balanced accuracy 65.2 in place of 64.8%, and the accuracy 68.7 in
place of 68.9% (five-fold over validation).
"""

SHIFT_COST = 1e-4
"""Holds back the shift of an expression that no face shows: the weight of the shifts' squares."""

FOLDS, REPEATS = 5, 5
"""Repeats with other folds: of 56 faces that show disgust, one draw of folds moves recall by some points."""

SMALLEST_PROBABILITY = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class HeldOutCalibration:
    """Calibrations of n faces in folds, each fitted without the faces of its fold.

    `fold` is (n,), `scales` (FOLDS,) and `shifts` (FOLDS, 7).
    """

    fold: NDArray[np.int64]
    scales: NDArray[np.float64]
    shifts: NDArray[np.float64]

    def apply(self, probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, 7) probabilities of the same faces, each calibrated without knowing it."""
        logits = self.scales[self.fold, None] * as_logits(probabilities) + self.shifts[self.fold]
        rows: NDArray[np.float32] = softmax(logits, axis=1).astype(np.float32)
        return rows


def hold_out(
    probabilities: NDArray[np.float32], labels: NDArray[np.int64], repeats: int = REPEATS
) -> list[HeldOutCalibration]:
    """Fit calibration and operating point again for each fold, on the labelled faces of the others.

    An earlier calibration in `probabilities`, fitted on all of these faces, does no harm: one calibration
    after another is again a scale and shifts, so that each fit undoes it.

    Args:
        probabilities: (n, 7), of the crops that calibration is fitted on.
        labels: (n,) indices into LABELS, or UNKNOWN.
        repeats: how often to draw other folds.

    Returns:
        One for each repeat; none where there are not enough labelled faces for all folds.
    """
    known = labels != UNKNOWN
    if known.sum() < FOLDS:
        return []
    logits = as_logits(probabilities)
    return [_held_out(logits, labels, _folds(known, seed)) for seed in range(repeats)]


def _held_out(
    logits: NDArray[np.float32], labels: NDArray[np.int64], fold: NDArray[np.int64]
) -> HeldOutCalibration:
    known = labels != UNKNOWN
    fits = [
        fit_output(logits[known & (fold != held_out)], labels[known & (fold != held_out)])
        for held_out in range(FOLDS)
    ]
    scales, shifts = np.array([scale for scale, _ in fits]), np.stack([shift for _, shift in fits])
    return HeldOutCalibration(fold, scales, shifts)


def cross_validated(
    draws: Sequence[NDArray[np.float32]],
    labels: NDArray[np.int64],
    found: NDArray[np.bool_] | None = None,
) -> dict[str, Any]:
    """The mean score over draws of folds; see `scores.score`.

    `draws` are (n, 7) each: the probabilities with each face's output fitted without it.
    """
    scores = [score(labels, probabilities, found) for probabilities in draws]
    return {
        "images": int(scores[0].totals.sum()),
        "accuracy": float(np.mean([of.accuracy for of in scores])),
        "balanced_accuracy": float(np.mean([of.balanced_accuracy for of in scores])),
        "macro_f1": float(np.mean([of.macro_f1 for of in scores])),
        "calibration_error": float(np.mean([of.calibration_error for of in scores])),
        "recall": dict(zip(LABELS, np.mean([of.recall for of in scores], axis=0).tolist(), strict=True)),
    }


def _folds(known: NDArray[np.bool_], seed: int) -> NDArray[np.int64]:
    """(n,) folds by chance, with as many labelled faces each as can be."""
    order = np.random.default_rng(seed).permutation(len(known))
    order = np.concatenate([order[known[order]], order[~known[order]]])
    fold = np.empty(len(known), np.int64)
    fold[order] = np.arange(len(known)) % FOLDS
    return fold


def as_logits(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logits whose softmax the probabilities are."""
    return np.log(np.maximum(probabilities, SMALLEST_PROBABILITY))


def fit_output(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> tuple[float, NDArray[np.float64]]:
    """The scale and (7,) shift of the logits as served: calibrated, then moved to the operating point."""
    scale, shift = best_calibration(logits, labels)
    return scale, shift + best_shift(scale * logits + shift, labels)


def best_calibration(
    logits: NDArray[np.float32], labels: NDArray[np.int64]
) -> tuple[float, NDArray[np.float64]]:
    """The scale of (n, 7) logits and the (7,) shift that make (n,) labels most likely; see RARE_COUNT."""
    count = np.bincount(labels, minlength=logits.shape[1])
    weights = (count[labels] / len(labels)) ** -RARE_COUNT
    weights /= weights.sum()
    given = np.eye(logits.shape[1])[labels]
    logits = logits.astype(np.float64)

    def unlikelihood(values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """The loss and its gradient by the logarithm of the scale and by the shift."""
        scaled, shift = logits * np.exp(values[0]), values[1:]
        calibrated = log_softmax(scaled + shift, axis=1)
        loss = SHIFT_COST * shift @ shift - weights @ (calibrated * given).sum(axis=1)
        slope = weights[:, None] * (np.exp(calibrated) - given)
        by_shift = slope.sum(axis=0) + 2 * SHIFT_COST * shift
        return float(loss), np.concatenate([[(slope * scaled).sum()], by_shift])

    best = minimize(unlikelihood, np.zeros(1 + logits.shape[1]), jac=True).x
    return float(np.exp(best[0])), best[1:] - best[1:].mean()
