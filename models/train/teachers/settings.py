"""Everything that can be chosen about a teacher."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.train.settings import as_tuples


@dataclass(frozen=True, slots=True)
class TeacherSettings:
    """The settings of one teacher; its run's folder and its snapshots carry them.

    A block is its number of channels and its stride. Each cycle's learning rate falls along a cosine to 0 and
    ends in a snapshot (Huang et al. 2017, arXiv 1704.00109); `sides` gives the side of the faces in pixels
    from a fraction of a cycle on: small faces first take a fraction of the time and cost no accuracy.
    """

    # Network
    stem: tuple[int, int] = (32, 1)
    pooled_stem: bool = False  # starts from the recognition network, and is built like the student
    blocks: tuple[tuple[int, int], ...] = ((48, 2), (48, 1), (96, 2), (96, 1), (96, 1), (160, 2), (160, 1))
    dropout: float = 0.3

    # Optimizer: SGD with Nesterov momentum
    cycles: tuple[int, ...] = (30, 20, 20)  # epochs; later ones may change when a teacher goes on
    warmup_epochs: float = 1.0
    batch: int = 128
    peak_learning_rate: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4
    ema_momentum: float = 0.998
    sides: tuple[tuple[float, int], ...] = ((0.0, 32), (0.45, 40), (0.7, 48))

    # Targets
    label_smoothing: float = 0.05
    votes_fraction: float = 0.3  # of a label's target: what its FER+ votes say of the label
    votes_weight: float = 0.5  # of the loss of the head for FER+'s votes

    # Augmentation
    rotation_degrees: float = 12.0
    scale: float = 0.12
    shift: float = 0.07
    light: float = 0.1
    contrast: float = 0.2
    cutout_rate: float = 0.2
    mixing_rate: float = 0.5  # fraction of batches with mixup or CutMix, half of them each
    mixing_alpha: float = 0.4
    unmixed_fraction: float = 0.2  # the end of a cycle, where faces are neither mixed nor cut out

    seed: int = 1

    @property
    def epochs(self) -> int:
        """All epochs of all cycles."""
        return sum(self.cycles)

    @property
    def side(self) -> int:
        """The side of a face in pixels, as at the end of each cycle."""
        return self.sides[-1][1]

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TeacherSettings:
        """From the JSON form, where tuples are lists."""
        return cls(**{name: as_tuples(value) for name, value in values.items()})
