"""Compares groups of people: how often each is named right, and how large the gaps are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.train.intervals import RESAMPLES, SEED, interval
from models.train.scores import Score, score
from webapp.protocol import LABELS

MEASURES = ("accuracy", "balanced_accuracy", "found")


def compare_groups(
    groups: Sequence[str],
    labels: NDArray[np.int64],
    probabilities: NDArray[np.float32],
    found: NDArray[np.bool_],
) -> dict[str, Any]:
    """The figures of each group, and each group's gap to the others.

    A gap is a group's figure minus that of all other groups together, with a 95% bootstrap interval: a gap
    whose interval holds 0 may be chance. Faces in no group ("") are left out; fewer than two groups give
    nothing.

    Args:
        groups: a name for each of n faces.
        labels: (n,) indices into LABELS.
        probabilities: (n, 7).
        found: (n,) false where there is no answer, which is an error.
    """
    names = np.array(groups)
    faces = {str(name): np.flatnonzero(names == name) for name in sorted(set(groups) - {""})}
    if len(faces) < 2:
        return {}
    return {
        name: _figures(chosen, np.flatnonzero((names != name) & (names != "")), labels, probabilities, found)
        for name, chosen in faces.items()
    }


def _figures(
    chosen: NDArray[np.intp],
    others: NDArray[np.intp],
    labels: NDArray[np.int64],
    probabilities: NDArray[np.float32],
    found: NDArray[np.bool_],
) -> dict[str, Any]:
    def measured(faces: NDArray[np.intp]) -> tuple[Score, NDArray[np.float64]]:
        of = score(labels[faces], probabilities[faces], found[faces])
        return of, np.array([of.accuracy, of.balanced_accuracy, found[faces].mean()])

    random = np.random.default_rng(SEED)
    gaps = np.stack(
        [
            measured(random.choice(chosen, len(chosen)))[1] - measured(random.choice(others, len(others)))[1]
            for _ in range(RESAMPLES)
        ]
    )
    own, figures = measured(chosen)
    gap = figures - measured(others)[1]
    return {
        "images": len(chosen),
        **dict(zip(MEASURES, figures.tolist(), strict=True)),
        "recall": dict(zip(LABELS, own.recall.tolist(), strict=True)),
        "gaps": {
            name: {"gap": float(gap[index]), "interval": interval(gaps[:, index])}
            for index, name in enumerate(MEASURES)
        },
    }
