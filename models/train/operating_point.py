"""The operating point: how much the network leans to rare expressions.

Logit adjustment (Menon et al. 2021, arXiv 2007.07314): a fraction of the logarithm of how often each
expression occurs is subtracted from its logit. A laboratory wants every expression found, not the mix of one
data set, so the fraction is the one with the best macro recall at hardly any loss of accuracy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MAX_ACCURACY_LOSS = 0.003
"""How much less accurate the operating point may be than the most accurate one."""

FRACTIONS = np.round(np.arange(0, 1.01, 0.05), 2)
"""The fractions that are tried."""


def best_shift(logits: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """The (7,) shift of calibrated (n, 7) logits to the operating point; all (n,) labels are known."""
    adjustment = rarity(labels, logits.shape[1])
    accuracies, recalls = np.array(
        [_accuracy_and_recall(logits + fraction * adjustment, labels) for fraction in FRACTIONS]
    ).T
    allowed = accuracies >= accuracies.max() - MAX_ACCURACY_LOSS
    best = int(np.where(allowed, recalls, -1).argmax())
    return np.asarray(FRACTIONS[best] * adjustment, np.float64)


def rarity(labels: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """(count,) minus the logarithm of each label's frequency, mean 0; one that never occurs counts once."""
    often = np.maximum(1, np.bincount(labels, minlength=count)) / len(labels)
    logs = -np.log(often)
    return np.asarray(logs - logs.mean(), np.float64)


def _accuracy_and_recall(logits: NDArray[np.float64], labels: NDArray[np.int64]) -> tuple[float, float]:
    right = logits.argmax(axis=1) == labels
    totals = np.bincount(labels, minlength=logits.shape[1])
    hits = np.bincount(labels[right], minlength=logits.shape[1])
    return float(right.mean()), float((hits[totals > 0] / totals[totals > 0]).mean())
