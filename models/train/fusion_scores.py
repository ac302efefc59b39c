"""How well a way to fuse frames does on sequences; `sequences` says what each measure is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from models.train.fusions import SINGLE, Fusion, Observed
from models.train.scores import score
from webapp.protocol import LABELS

MIN_PROBABILITY = 1e-4
"""For the log loss."""

Rows = NDArray[np.float64]
Names = NDArray[np.int64]

UNNAMED = -1


@dataclass(frozen=True, slots=True)
class Figures:
    """See `sequences`; `delay_ms` is over all sequences in which the name was to change."""

    accuracy: float
    recall: float
    as_clean: float
    distance: float
    log_loss: float
    flicker: float
    delay_ms: float

    def minus(self, other: Figures) -> dict[str, float]:
        """Each figure less that of another way."""
        return {of.name: getattr(self, of.name) - getattr(other, of.name) for of in fields(self)}


@dataclass(frozen=True, slots=True, eq=False)
class Fused:
    """n sequences of t frames as one way shows them, at a rate, and what they should show.

    `shown` and `clean` are (n, t, 7), NaN where no face was found, `single` (n, t) are the names of the
    single frames and `labels` (n, t) indices into LABELS; the second face begins at the frame `change`.
    """

    shown: Rows
    clean: Rows
    single: Names
    labels: Names
    change: int
    rate: float

    def take(self, sequences: NDArray[np.intp]) -> Fused:
        """Some of the sequences."""
        return replace(
            self,
            shown=self.shown[sequences],
            clean=self.clean[sequences],
            single=self.single[sequences],
            labels=self.labels[sequences],
        )


def fuse(sequences: Sequence[Observed], change: int, fusion: Fusion, rate: float) -> Fused:
    """Fuse all sequences; their second faces begin at the frame `change`."""
    shown = np.stack([fusion.fuse(of.frames, rate) for of in sequences])
    single = np.stack([SINGLE.fuse(of.frames, rate) for of in sequences])
    parts = [change, shown.shape[1] - change]
    clean = np.stack([np.repeat(of.clean, parts, axis=0) for of in sequences])
    labels = np.stack([np.repeat(of.labels, parts) for of in sequences])
    return Fused(shown, clean, named(single), labels, change, rate)


def measure(fused: Fused, frequencies: Rows) -> Figures:
    """All figures; `frequencies` (7,) says how often each label occurs in the split."""
    names, change = named(fused.shown), fused.change
    answered = names[:, :change] != UNNAMED
    shown, labels = fused.shown[:, :change][answered], fused.labels[:, :change][answered]
    of = score(labels, shown.astype(np.float32))
    clean = fused.clean[:, :change][answered]
    likelihood = np.take_along_axis(shown, labels[:, None], axis=1)
    comparable = (names != UNNAMED) & (named(fused.clean) != UNNAMED)
    return Figures(
        accuracy=float(of.recall @ frequencies),
        recall=of.balanced_accuracy,
        as_clean=float((names == named(fused.clean))[comparable].mean()),
        distance=float(np.nanmean(np.abs(shown - clean).sum(axis=1)) / 2),
        log_loss=float(-np.log(np.maximum(likelihood, MIN_PROBABILITY)).mean()),
        flicker=_flicker(names[:, :change]) * fused.rate,
        delay_ms=float(np.nanmean(delays(fused))) * 1000 / fused.rate,
    )


def named(rows: Rows) -> Names:
    """The index of the largest in each row of (..., 7) probabilities, or UNNAMED where they are NaN."""
    known = ~np.isnan(rows[..., 0])
    return np.where(known, np.nan_to_num(rows).argmax(axis=-1), UNNAMED)


def delays(fused: Fused) -> Rows:
    """(n,) frames from the change of faces until the second one's name is shown.

    The names are those of most single frames of each face; NaN where they are the same, or there is none.
    """
    names, change = named(fused.shown), fused.change
    before, after = (_most_frequent(of) for of in (fused.single[:, :change], fused.single[:, change:]))
    there = (names[:, change:] == after[:, None]) & (after != UNNAMED)[:, None]
    frames = np.where(there.any(axis=1), there.argmax(axis=1), there.shape[1])
    comparable = (before != after) & (before != UNNAMED) & (after != UNNAMED)
    return np.where(comparable, frames, np.nan)


def _most_frequent(names: Names) -> Names:
    """(n,) the most frequent name in each row of (n, t); UNNAMED where there is none."""
    counts = (names[..., None] == np.arange(len(LABELS))).sum(axis=1)
    return np.where(counts.any(axis=1), counts.argmax(axis=1), UNNAMED)


def _flicker(names: Names) -> float:
    """The fraction of the pairs of neighbouring frames, both with a name, whose names differ."""
    both = (names[:, 1:] != UNNAMED) & (names[:, :-1] != UNNAMED)
    return float((names[:, 1:] != names[:, :-1])[both].mean())
