"""Bootstrap intervals: how far a figure could be off by the chance of which faces were measured.

Percentiles of figures over faces drawn anew with replacement (Efron and Tibshirani 1993). Only the choice of
faces is drawn, not the training: another run of it differs by about half a point more.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from models.train.data import UNKNOWN
from models.train.scores import score
from webapp.protocol import LABELS

RESAMPLES = 1000
PERCENTILES = (2.5, 97.5)
SEED = 1

Interval = tuple[float, float]
Figures = Callable[[NDArray[np.intp]], dict[str, float]]


def bootstrap(count: int, figures: Figures, resamples: int = RESAMPLES) -> dict[str, Interval]:
    """95% intervals of what `figures` computes of the indices of drawn faces, of `count` in all."""
    random = np.random.default_rng(SEED)
    drawn = [figures(random.integers(0, count, count)) for _ in range(resamples)]
    return {name: interval(np.array([of[name] for of in drawn])) for name in drawn[0]}


def interval(values: NDArray[np.float64]) -> Interval:
    """The central 95% of values."""
    low, high = np.nanpercentile(values, PERCENTILES).tolist()
    return low, high


def score_intervals(
    labels: NDArray[np.int64], probabilities: NDArray[np.float32], found: NDArray[np.bool_]
) -> dict[str, Interval]:
    """95% intervals of accuracy, balanced accuracy, macro F1, calibration error and each label's recall.

    Faces without a label are left out; without any labels there are no intervals.
    """
    known = np.flatnonzero(labels != UNKNOWN)
    occurs = np.bincount(labels[known], minlength=len(LABELS)) > 0

    def figures(drawn: NDArray[np.intp]) -> dict[str, float]:
        faces = known[drawn]
        of = score(labels[faces], probabilities[faces], found[faces])
        recall = np.where((of.totals == 0) & occurs, np.nan, of.recall)  # of a label that was not drawn
        recalls = {f"recall_{label}": float(each) for label, each in zip(LABELS, recall, strict=True)}
        return {
            "accuracy": of.accuracy,
            "balanced_accuracy": of.balanced_accuracy,
            "macro_f1": of.macro_f1,
            "calibration_error": of.calibration_error,
            **recalls,
        }

    return bootstrap(len(known), figures) if len(known) else {}
