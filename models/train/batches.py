"""Batches of varied faces with their targets, made in the background while the network trains."""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

from models.train.augment import vary
from models.train.data import UNKNOWN, VOTED_EXPRESSIONS, FaceSet
from models.train.settings import Settings
from webapp.protocol import LABELS

Targets = dict[str, NDArray[np.float32]]

MIN_VOTES = 2
"""A single vote for an expression is taken for a slip (as the authors of FER+ do)."""


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


def mixed_targets(known: Targets, taught: Targets, weight: float) -> Targets:
    """What is known of each face mixed with what teachers say; what they say alone where nothing is known."""
    return {
        head: np.where(rows.any(axis=1, keepdims=True), rows + weight * (taught[head] - rows), taught[head])
        for head, rows in known.items()
    }


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """One epoch of training; the same settings and epoch always give the same batches.

    `taught` is what `teachers.teach` says of the same faces, if there are any teachers.
    """

    def __init__(self, faces: FaceSet, settings: Settings, taught: Targets | None = None) -> None:
        super().__init__(workers=2, max_queue_size=8)
        self._images = faces.images
        known = targets(faces, settings.label_smoothing)
        self._targets = known if taught is None else mixed_targets(known, taught, settings.taught)
        self._settings = settings
        self.start_epoch(0)

    def start_epoch(self, epoch: int) -> None:
        """Shuffle for this epoch, counted from 0."""
        self._epoch = epoch
        self._order = np.random.default_rng((self._settings.seed, epoch)).permutation(len(self._images))

    def __len__(self) -> int:
        return len(self._images) // self._settings.batch

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], Targets]:
        """(batch, 48, 48, 1) float32 grey values of 0 to 255, and the targets."""
        random = np.random.default_rng((self._settings.seed, self._epoch, index))
        chosen = self._order[index * self._settings.batch : (index + 1) * self._settings.batch]
        varied = as_input(np.stack([vary(self._images[face], self._settings, random) for face in chosen]))
        wanted = {name: rows[chosen] for name, rows in self._targets.items()}
        return mixed_up(varied, wanted, self._settings.mix_rate, random)


def mixed_up(
    faces: NDArray[np.float32], wanted: Targets, rate: float, random: np.random.Generator
) -> tuple[NDArray[np.float32], Targets]:
    """Some of the faces laid over their neighbours in the batch, with their targets: mixup, arXiv 1710.09412.

    The first of each two counts at least half, so that targets of 0, of faces without labels, stay rare.
    """
    parts = np.where(random.random(len(faces)) < rate, random.uniform(0, 0.5, len(faces)), 0)
    parts = parts.astype(np.float32)[:, None]
    mixed = faces + parts[..., None, None] * (np.roll(faces, 1, axis=0) - faces)
    return mixed, {head: rows + parts * (np.roll(rows, 1, axis=0) - rows) for head, rows in wanted.items()}


def as_input(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(n, 48, 48) uint8 faces as the (n, 48, 48, 1) float32 that the network takes."""
    return images[..., None].astype(np.float32)
