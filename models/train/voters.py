"""How a model compares with the people who voted: one of them against the others, and their distribution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import rel_entr

from models.train.data import UNKNOWN
from models.train.scores import FER_PLUS_OF_LABEL, fer_plus_majority
from webapp.protocol import LABELS

SMALLEST_PROBABILITY = 1e-6
"""Stands for 0 in divergences: votes are counts of ten, so that a zero is no impossibility."""

HAPPY = LABELS.index("happy")
NEGATIVE = tuple(LABELS.index(name) for name in ("angry", "disgust", "fear", "sad"))


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Agreement with the majority of all voters but one, 0 to 1: of that one voter, and of a model."""

    voter: float
    model: float
    votes: int

    @classmethod
    def of(cls, votes: NDArray[np.float32], answers: NDArray[np.int64]) -> LeftOut:
        """Leave out every voter of every face in turn.

        Votes whose face has no clear majority without them are not counted. A voter who could not say, or saw
        no face, disagrees with a majority that did.

        Args:
            votes: (n, 10) counts in the order of VOTES.
            answers: (n,) what the model says, as indices into VOTED_EXPRESSIONS; anything else is wrong.
        """
        counted = voters_right = model_right = 0.0
        for vote in range(votes.shape[1]):
            weights = votes[:, vote]
            others = votes.copy()
            others[:, vote] = np.maximum(0, others[:, vote] - 1)
            majority = fer_plus_majority(others)
            clear = (majority != UNKNOWN) & (weights > 0)
            counted += float(weights[clear].sum())
            voters_right += float(weights[clear & (majority == vote)].sum())
            model_right += float(weights[clear & (majority == answers)].sum())
        total = max(counted, 1.0)
        return cls(voters_right / total, model_right / total, int(counted))


def vote_fractions(votes: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """(n, 7) fractions of the votes for LABELS, and (n,) where at least half of all votes are for these."""
    counts = votes[:, FER_PLUS_OF_LABEL].astype(np.float64)
    total = counts.sum(axis=1)
    usable = (total > 0) & (total >= votes.sum(axis=1) / 2)
    return counts / np.maximum(total, 1)[:, None], usable


def kullback_leibler(fractions: NDArray[np.float64], probabilities: NDArray[np.float64]) -> float:
    """The mean divergence of (n, 7) probabilities from what people said, in nats; 0 of no faces."""
    each = rel_entr(fractions, np.maximum(probabilities, SMALLEST_PROBABILITY)).sum(axis=1)
    return float(each.sum() / max(1, len(each)))


def jensen_shannon(fractions: NDArray[np.float64], probabilities: NDArray[np.float64]) -> float:
    """The mean divergence between (n, 7) probabilities and what people said, 0 to 1 bit; 0 of no faces."""
    between = (fractions + probabilities) / 2
    both = rel_entr(fractions, between).sum(axis=1) + rel_entr(probabilities, between).sum(axis=1)
    return float(both.sum() / max(1, len(both)) / 2 / np.log(2))


def intraclass_correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Absolute agreement of two single measurements of the same n faces, ICC(2,1) of Shrout and Fleiss 1979.

    1 where they are equal, near 0 where they have nothing to do with each other; 0 where neither varies, and
    of fewer than two faces.
    """
    if len(first) < 2:
        return 0.0
    table = np.stack([first, second], axis=1)
    faces, raters = table.shape
    between_faces = raters * table.mean(axis=1).var(ddof=1)
    between_raters = faces * table.mean(axis=0).var(ddof=1)
    rest = table - table.mean(axis=1, keepdims=True) - table.mean(axis=0) + table.mean()
    residual = float((rest**2).sum() / ((faces - 1) * (raters - 1)))
    whole = between_faces + (raters - 1) * residual + raters * (between_raters - residual) / faces
    return float((between_faces - residual) / whole) if whole > 0 else 0.0


def valence(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) happy minus the largest of angry, disgust, fear and sad: -1 to 1, as the server computes it."""
    return np.asarray(probabilities[:, HAPPY] - probabilities[:, NEGATIVE].max(axis=1), np.float64)


def correlations(fractions: NDArray[np.float64], probabilities: NDArray[np.float64]) -> dict[str, float]:
    """The intraclass correlation of each probability, and of valence, with what people said."""
    of_labels = {
        label: intraclass_correlation(fractions[:, index], probabilities[:, index])
        for index, label in enumerate(LABELS)
    }
    return {**of_labels, "valence": intraclass_correlation(valence(fractions), valence(probabilities))}
