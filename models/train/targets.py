"""What the heads of a network should answer for a face, from its label and its votes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from models.train.data import UNKNOWN, VOTED_EXPRESSIONS, FaceSet
from webapp.protocol import LABELS

Targets = dict[str, NDArray[np.float32]]

MIN_VOTES = 2
"""A single vote for an expression is taken for a slip (as the authors of FER+ do)."""

VOTES_OFFSET = 0.05
"""Added to a fraction of the votes before its logarithm: half of one vote in ten."""

REGRESSION_DECAY = 1e-5
"""How much the squared weights of the votes' regression count."""


def label_targets(faces: FaceSet, smoothing: float) -> NDArray[np.float32]:
    """(n, 7) smoothed one-hot rows; all 0, which asks for nothing, where the label is unknown."""
    rows = np.full((len(faces), len(LABELS)), smoothing / len(LABELS), np.float32)
    known = faces.labels != UNKNOWN
    rows[known, faces.labels[known]] += 1 - smoothing
    rows[~known] = 0
    return rows


def vote_targets(faces: FaceSet) -> NDArray[np.float32]:
    """(n, 8) distributions of the votes over the expressions of FER+, all 0 where no expression has two."""
    counts = faces.votes[:, : len(VOTED_EXPRESSIONS)]
    counts = np.where(counts >= MIN_VOTES, counts, 0)
    total = counts.sum(axis=1, keepdims=True)
    rows: NDArray[np.float32] = np.divide(counts, total, out=np.zeros_like(counts), where=total > 0)
    return rows


def targets(faces: FaceSet, smoothing: float) -> Targets:
    """What each head of the network should answer."""
    return {"label": label_targets(faces, smoothing), "votes": vote_targets(faces)}


def mixed_targets(known: Targets, answers: Targets, weight: float) -> Targets:
    """Known targets mixed with a teacher's; the teacher's alone where nothing is known."""
    return {
        head: np.where(rows.any(axis=1, keepdims=True), rows + weight * (answers[head] - rows), answers[head])
        for head, rows in known.items()
    }


def voted_targets(faces: FaceSet, smoothing: float, votes_fraction: float) -> Targets:
    """Targets whose label is smoothed with what ten other people saw, rather than evenly.

    Args:
        faces: faces with labels, votes, or both.
        smoothing: even label smoothing of the label's own fraction.
        votes_fraction: how much of a label's target is `labels_by_votes`, 0 to 1; a face without a label gets
            that alone.
    """
    known = targets(faces, smoothing)
    if votes_fraction == 0:
        return known
    return {
        **known,
        "label": mixed_targets(known, {**known, "label": labels_by_votes(faces)}, votes_fraction)["label"],
    }


def labels_by_votes(faces: FaceSet) -> NDArray[np.float32]:
    """(n, 7) how often faces with such FER+ votes carry each FER2013 label: a softmax regression.

    The labels are one person's choice; the votes of ten say what others would have chosen.
    """
    fractions = faces.votes / np.maximum(faces.votes.sum(axis=1, keepdims=True), 1)
    inputs = np.hstack([fractions, np.log(fractions + VOTES_OFFSET), np.ones((len(faces), 1))])
    wanted = label_targets(faces, smoothing=0.0)

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = flat.reshape(inputs.shape[1], -1)
        logs = log_softmax(inputs @ weights, axis=1)
        slope = np.exp(logs) * wanted.sum(axis=1, keepdims=True) - wanted
        change = inputs.T @ slope / len(faces) + 2 * REGRESSION_DECAY * weights
        return -(wanted * logs).sum() / len(faces) + REGRESSION_DECAY * (weights**2).sum(), change.ravel()

    start = np.zeros(inputs.shape[1] * wanted.shape[1])
    fitted = minimize(loss, start, jac=True, method="L-BFGS-B").x.reshape(inputs.shape[1], -1)
    rows: NDArray[np.float32] = softmax(inputs @ fitted, axis=1).astype(np.float32)
    return rows
