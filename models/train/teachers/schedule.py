"""What changes over a teacher's cycles: learning rate, side of the faces, whether they are mixed."""

from __future__ import annotations

import math
from itertools import accumulate

from models.train.teachers.settings import TeacherSettings


def cycle_position(settings: TeacherSettings, epoch: float) -> tuple[float, int]:
    """How many epochs of its cycle have passed after `epoch` epochs in all, and how many it has."""
    for length in settings.cycles:
        if epoch < length:
            return epoch, length
        epoch -= length
    return float(settings.cycles[-1]), settings.cycles[-1]


def learning_rate(settings: TeacherSettings, epoch: float) -> float:
    """Up in a straight line, then down in a cosine to 0, once a cycle (arXiv 1608.03983)."""
    passed, length = cycle_position(settings, epoch)
    if passed < settings.warmup_epochs:
        return settings.peak_learning_rate * passed / settings.warmup_epochs
    fraction = (passed - settings.warmup_epochs) / (length - settings.warmup_epochs)
    return settings.peak_learning_rate * 0.5 * (1 + math.cos(math.pi * fraction))


def side_at(settings: TeacherSettings, epoch: int) -> int:
    """The side of the faces in this epoch, in pixels."""
    passed, length = cycle_position(settings, epoch)
    return [side for start, side in settings.sides if start * length <= passed][-1]


def is_varied(settings: TeacherSettings, epoch: int) -> bool:
    """Whether faces are mixed and cut out in this epoch: not at the end of a cycle."""
    passed, length = cycle_position(settings, epoch)
    return passed < (1 - settings.unmixed_fraction) * length


def finished_cycles(settings: TeacherSettings, epochs: int) -> int:
    """How many cycles end with exactly so many epochs; 0 in the middle of a cycle."""
    ends = list(accumulate(settings.cycles))
    return ends.index(epochs) + 1 if epochs in ends else 0
