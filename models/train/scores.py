"""How often a model is right, and how well it knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.train.data import UNKNOWN, VOTED_EXPRESSIONS, VOTES
from webapp.protocol import LABELS

FER_PLUS_OF_LABEL = tuple(
    VOTED_EXPRESSIONS.index(name)
    for name in ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
)
"""What FER+ calls each of LABELS, as an index into VOTED_EXPRESSIONS."""

CALIBRATION_BINS = 15


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """How often a model is right, from its (7, 7) confusion matrix: true labels down, answers across.

    `missed` (7,) counts the faces of each label that got no answer, which are errors too. A figure that would
    divide by nothing (a label that never occurs, or is never answered) is 0.
    """

    confusion: NDArray[np.int64]
    missed: NDArray[np.int64]
    calibration_error: float

    @property
    def totals(self) -> NDArray[np.int64]:
        """(7,) how many faces carry each label."""
        totals: NDArray[np.int64] = self.confusion.sum(axis=1) + self.missed
        return totals

    @property
    def accuracy(self) -> float:
        """The part of all faces that is named right."""
        return float(np.trace(self.confusion) / max(1, self.totals.sum()))

    @property
    def recall(self) -> NDArray[np.float64]:
        """(7,) the part of each label's faces that is named so."""
        return _parts(self.confusion, self.totals)

    @property
    def precision(self) -> NDArray[np.float64]:
        """(7,) the part of the faces named so that carry the label."""
        return _parts(self.confusion, self.confusion.sum(axis=0))

    @property
    def f1(self) -> NDArray[np.float64]:
        """(7,) the harmonic mean of precision and recall."""
        both = self.confusion.sum(axis=0) + self.totals
        return 2 * _parts(self.confusion, both)

    @property
    def balanced_accuracy(self) -> float:
        """The mean recall over the labels that occur."""
        return self._mean(self.recall)

    @property
    def macro_f1(self) -> float:
        """The mean F1 over the labels that occur."""
        return self._mean(self.f1)

    def _mean(self, values: NDArray[np.float64]) -> float:
        occurs = self.totals > 0
        return float(values[occurs].mean()) if occurs.any() else 0.0

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        columns = {"precision": self.precision, "recall": self.recall, "f1": self.f1}
        return {
            "images": int(self.totals.sum()),
            "missed": int(self.missed.sum()),
            "accuracy": self.accuracy,
            "balanced_accuracy": self.balanced_accuracy,
            "macro_f1": self.macro_f1,
            "calibration_error": self.calibration_error,
            "classes": {
                label: {name: float(values[index]) for name, values in columns.items()}
                for index, label in enumerate(LABELS)
            },
            "labels": list(LABELS),
            "confusion": self.confusion.tolist(),
        }


def _parts(confusion: NDArray[np.int64], totals: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(np.diag(confusion) / np.maximum(1, totals), np.float64)


def score(
    labels: NDArray[np.int64],
    probabilities: NDArray[np.float32],
    answered: NDArray[np.bool_] | None = None,
) -> Score:
    """Compare (n,) labels with (n, 7) probabilities; faces without a label are left out.

    `answered` (n,) is false where there is no answer, which counts as an error.
    """
    known = labels != UNKNOWN
    given = known if answered is None else known & answered
    true, answers = labels[given], probabilities[given].argmax(axis=1)
    confusion = np.zeros((len(LABELS), len(LABELS)), np.int64)
    np.add.at(confusion, (true, answers), 1)
    missed = np.bincount(labels[known & ~given], minlength=len(LABELS))
    return Score(confusion, missed, calibration_error(answers == true, probabilities[given].max(axis=1)))


def reliability(
    right: NDArray[np.bool_], confidence: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """For each of the bins of confidence: its mean, the part that is right, and how many answers it holds.

    The first two are NaN where a bin is empty.
    """
    bins = _bins(confidence)
    counts = np.bincount(bins, minlength=CALIBRATION_BINS)
    sums = [np.bincount(bins, values, CALIBRATION_BINS) for values in (confidence, right.astype(float))]
    with np.errstate(invalid="ignore"):
        return sums[0] / counts, sums[1] / counts, counts


def _bins(confidence: NDArray[np.float32]) -> NDArray[np.int64]:
    return np.minimum((confidence * CALIBRATION_BINS).astype(np.int64), CALIBRATION_BINS - 1)


def fer_plus_majority(votes: NDArray[np.float32]) -> NDArray[np.int64]:
    """What most voters saw, as (n,) indices into VOTED_EXPRESSIONS.

    UNKNOWN where most could not say or saw no face, or where two expressions have as many votes.

    Args:
        votes: (n, 10) counts in the order of VOTES.
    """
    ordered = np.sort(votes, axis=1)
    majority = votes.argmax(axis=1)
    clear = (ordered[:, -1] > ordered[:, -2]) & (majority < len(VOTED_EXPRESSIONS))
    assert votes.shape[1] == len(VOTES)
    return np.where(clear, majority, UNKNOWN)


def agreement(majority: NDArray[np.int64], answers: NDArray[np.int64]) -> float:
    """The part of the faces with a majority that is named so, 0 to 1."""
    known = majority != UNKNOWN
    return float((answers[known] == majority[known]).mean()) if known.any() else 0.0


def calibration_error(right: NDArray[np.bool_], confidence: NDArray[np.float32]) -> float:
    """How far confidence is from the part that is right, over 15 bins (Guo et al. 2017, arXiv 1706.04599)."""
    gaps = np.bincount(_bins(confidence), right.astype(float) - confidence, CALIBRATION_BINS)
    return float(np.abs(gaps).sum() / max(1, len(right)))
