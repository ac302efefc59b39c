"""Batches of a teacher's faces; the same settings, epoch and index always give the same batch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.train.augment import cut_out, lit
from models.train.targets import Targets
from models.train.teachers.settings import TeacherSettings
from models.train.views import Random, random_view, render

Batch = tuple[NDArray[np.float32], Targets]


class TeacherBatches:
    """One epoch after another of varied, shuffled faces."""

    def __init__(self, images: NDArray[np.uint8], wanted: Targets, settings: TeacherSettings) -> None:
        self._images = images
        self._targets = wanted
        self._settings = settings

    def __len__(self) -> int:
        return len(self._images) // self._settings.batch

    def order(self, epoch: int) -> NDArray[np.int64]:
        """(batches, batch) which faces each batch of an epoch holds."""
        size = self._settings.batch
        order = np.random.default_rng((self._settings.seed, epoch)).permutation(len(self._images))
        return np.asarray(order[: len(self) * size].reshape(-1, size), np.int64)

    def batch(self, chosen: NDArray[np.int64], side: int, varied: bool, random: Random) -> Batch:
        """Views of these faces, (n, 1, side, side) float32 grey, with their targets.

        `varied` faces are also cut out, and mixed in some of the batches.
        """
        views = np.stack([self._view(self._images[face], side, varied, random) for face in chosen])
        faces = views[:, None].astype(np.float32)
        wanted = {head: rows[chosen] for head, rows in self._targets.items()}
        if varied and random.random() < self._settings.mixing_rate:
            fraction = random.beta(self._settings.mixing_alpha, self._settings.mixing_alpha)
            mix = mixup if random.random() < 0.5 else cutmix
            return mix(faces, wanted, float(fraction), random)
        return faces, wanted

    def _view(self, image: NDArray[np.uint8], side: int, varied: bool, random: Random) -> NDArray[np.uint8]:
        face = lit(render(image, random_view(self._settings, random), side), self._settings, random)
        return cut_out(face, random) if varied and random.random() < self._settings.cutout_rate else face


def mixup(faces: NDArray[np.float32], wanted: Targets, fraction: float, random: Random) -> Batch:  # noqa: ARG001
    """Every face blended with its neighbor in the batch, as are their targets (arXiv 1710.09412)."""
    return _blended(faces, fraction), _mixed_targets(wanted, fraction)


def cutmix(faces: NDArray[np.float32], wanted: Targets, fraction: float, random: Random) -> Batch:
    """A rectangle of every face taken from its neighbor, targets by area (arXiv 1905.04899)."""
    side = faces.shape[-1]
    edge = round(side * (1 - fraction) ** 0.5)
    top, left = random.integers(0, side - edge + 1, 2)
    mixed = faces.copy()
    mixed[..., top : top + edge, left : left + edge] = np.roll(faces, 1, axis=0)[
        ..., top : top + edge, left : left + edge
    ]
    return mixed, _mixed_targets(wanted, 1 - edge**2 / side**2)


def _blended(rows: NDArray[np.float32], fraction: float) -> NDArray[np.float32]:
    return (fraction * rows + (1 - fraction) * np.roll(rows, 1, axis=0)).astype(np.float32)


def _mixed_targets(wanted: Targets, fraction: float) -> Targets:
    return {head: _blended(rows, fraction) for head, rows in wanted.items()}
