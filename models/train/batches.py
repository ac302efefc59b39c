"""Batches of varied faces with their targets, made in the background while the network trains."""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

from models.train.augment import corrupt
from models.train.bank import Bank, BankError
from models.train.data import FaceSet
from models.train.settings import Settings
from models.train.targets import Targets, mixed_targets, targets
from models.train.views import View, random_view, render


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """One epoch of training; the same settings and epoch always give the same batches.

    With a bank each face is shown in one of the bank's views, another one each epoch, and its target is mixed
    with the teachers' answer for that view. Light, cutout and corruptions are the student's alone: it learns
    to answer for a corrupted face what the teachers answer for the clean one (arXiv 2111.10561).

    Raises:
        BankError: there is no bank and the settings ask for one, or it was made of other faces.
    """

    def __init__(self, faces: FaceSet, settings: Settings, bank: Bank | None = None) -> None:
        super().__init__(workers=2, max_queue_size=8)
        self._images = faces.images
        self._targets = targets(faces, settings.label_smoothing)
        self._settings = settings
        self._bank = bank if settings.distillation else None
        if self._bank is not None:
            self._bank.check(faces.images)
        elif settings.distillation:
            raise BankError(
                "The network learns from teachers' answers, and there is no bank of them (--bank)."
            )
        self.start_epoch(0)

    def start_epoch(self, epoch: int) -> None:
        """Shuffle for this epoch, counted from 0."""
        self._epoch = epoch
        self._side = self._settings.side(epoch)
        self._order = np.random.default_rng((self._settings.seed, epoch)).permutation(len(self._images))

    def __len__(self) -> int:
        return len(self._images) // self._settings.batch

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], Targets]:
        """(batch, side, side, 1) float32 grey values of 0 to 255, and the targets."""
        random = np.random.default_rng((self._settings.seed, self._epoch, index))
        chosen = self._order[index * self._settings.batch : (index + 1) * self._settings.batch]
        wanted = {head: rows[chosen] for head, rows in self._targets.items()}
        if self._bank is None:
            views = [random_view(self._settings, random) for _ in chosen]
        else:
            views, answers = self._bank.views_of(chosen, self._epoch)
            wanted = mixed_targets(wanted, answers, self._settings.distillation)
        varied = as_input(np.stack([self._image(*pair, random) for pair in zip(chosen, views, strict=True)]))
        return mixup(varied, wanted, self._settings.mixup_rate, random)

    def _image(self, face: int, view: View, random: np.random.Generator) -> NDArray[np.uint8]:
        return corrupt(render(self._images[face], view, self._side), self._settings, random)


def mixup(
    faces: NDArray[np.float32], wanted: Targets, rate: float, random: np.random.Generator
) -> tuple[NDArray[np.float32], Targets]:
    """Some of the faces blended with their neighbors in the batch, with their targets (arXiv 1710.09412).

    The first of each two counts at least half, so that targets of 0, of faces without labels, stay rare.
    """
    fractions = np.where(random.random(len(faces)) < rate, random.uniform(0, 0.5, len(faces)), 0)
    fractions = fractions.astype(np.float32)[:, None]
    mixed = faces + fractions[..., None, None] * (np.roll(faces, 1, axis=0) - faces)
    return mixed, {
        head: rows + fractions * (np.roll(rows, 1, axis=0) - rows) for head, rows in wanted.items()
    }


def as_input(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(n, side, side) uint8 faces as the (n, side, side, 1) float32 that the network takes."""
    return images[..., None].astype(np.float32)
