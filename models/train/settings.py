"""Everything that can be chosen about a training, in one place."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

Blocks = tuple[tuple[int, int], ...]

RECOGNITION = ("recognition",)
"""As an initialization: the recognition network, for a student with a pooled stem."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one training; its run folder carries them.

    A block is its number of channels and its stride; `rotation_degrees`, `scale` and `shift` are the largest
    change in either direction, the latter two as fractions of the face's side. `sides` gives the side of the
    faces in pixels from a fraction of the epochs on: smaller ones first take less time.
    """

    # Network
    stem: tuple[int, int] = (24, 1)
    pooled_stem: bool = False  # 5x5, then the largest of 3x3 at every second pixel
    blocks: Blocks = ((48, 2), (48, 1), (96, 2), (96, 1), (192, 2))
    dropout: float = 0.2
    initialization: tuple[str, ...] = ()  # folders of runs or of model files, for their mean; or RECOGNITION,
    # or the snapshot (.npz) of a teacher with a pooled stem

    # Optimizer: SGD with Nesterov momentum under a cosine with a warm-up
    epochs: int = 40
    batch: int = 128
    peak_learning_rate: float = 0.1
    warmup_epochs: float = 1.5
    momentum: float = 0.9
    weight_decay: float = 5e-3  # Keras multiplies by the rate alone: with momentum 0.9, ten times PyTorch's
    ema_momentum: float = 0.998
    sides: tuple[tuple[float, int], ...] = ((0.0, 48),)

    # Targets
    label_smoothing: float = 0.1
    votes_weight: float = 0.5
    distillation: float = 0.0  # fraction of the targets that teachers answer for the same view; needs a bank

    # Augmentation
    rotation_degrees: float = 15.0
    scale: float = 0.15
    shift: float = 0.08
    light: float = 0.25
    contrast: float = 0.3
    corruption_rate: float = 0.1
    cutout_rate: float = 0.35
    mixup_rate: float = 0.1

    seed: int = 1
    precision: str = "mixed_bfloat16"

    def side(self, epoch: int) -> int:
        """The side of the faces in this epoch, counted from 0, in pixels."""
        return [side for start, side in self.sides if start * self.epochs <= epoch][-1]

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Settings:
        """From the JSON form, where tuples are lists."""
        return cls(**{name: as_tuples(value) for name, value in values.items()})


def as_tuples(value: object) -> Any:  # noqa: ANN401 - what JSON may hold
    """A value of JSON with lists as tuples."""
    return tuple(map(as_tuples, value)) if isinstance(value, list) else value


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add an option for each setting; networks are written as JSON, such as `--stem [24,1]`."""
    for field in fields(Settings):
        option = "--" + field.name.replace("_", "-")
        parser.add_argument(option, type=_parser(field.default), default=field.default, metavar="VALUE")


def chosen_settings(arguments: argparse.Namespace) -> Settings:
    """The settings from the options of `add_settings`."""
    return Settings(**{field.name: getattr(arguments, field.name) for field in fields(Settings)})


def _parser(default: object) -> Callable[[str], Any]:
    if isinstance(default, tuple | bool):
        return lambda text: as_tuples(json.loads(text))
    return type(default)
