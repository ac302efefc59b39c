"""The teachers' CNN: residual blocks with squeeze and excitation, and a head for each kind of label.

The same kind of network as `models.train.network`, in PyTorch and of any width, depth and side.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.train.data import VOTED_EXPRESSIONS
from models.train.network import MEAN, SPREAD
from models.train.student.network import StudentNetwork
from models.train.teachers.settings import TeacherSettings
from webapp.protocol import LABELS

SQUEEZE = 8
"""How much narrower the hidden layer of squeeze and excitation is."""

MIN_SPREAD = 8.0
"""Grey values added to a face's standard deviation, so that an even crop is not all noise."""


class TeacherNetwork(nn.Module):  # type: ignore[misc]
    """Grey (n, 1, side, side) of 0 to 255 to the logits (n, 7) of LABELS and (n, 8) of VOTED_EXPRESSIONS.

    Each face is normalised by its own mean and spread, so that a teacher need not learn what light does.
    """

    def __init__(self, settings: TeacherSettings) -> None:
        super().__init__()
        width, stride = settings.stem
        side = 5 if stride > 1 else 3
        layers: list[nn.Module] = [_convolution(1, width, side, stride), nn.BatchNorm2d(width), nn.ReLU()]
        for block_width, block_stride in settings.blocks:
            layers.append(_Block(width, block_width, block_stride))
            width = block_width
        self.features = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.dropout = nn.Dropout(settings.dropout)
        self.label = nn.Linear(width, len(LABELS))
        self.votes = nn.Linear(width, len(VOTED_EXPRESSIONS))

    def forward(self, grey: Tensor) -> tuple[Tensor, Tensor]:
        """The two heads' logits."""
        pixels = _normalised(grey).contiguous(memory_format=torch.channels_last)
        features = self.dropout(self.features(pixels))
        return self.label(features), self.votes(features)


class PooledTeacher(StudentNetwork):
    """The student's network as a teacher, of the same input and output, normalised as `TeacherNetwork`."""

    def forward(self, grey: Tensor) -> tuple[Tensor, Tensor]:
        """The two heads' logits."""
        label, votes = super().forward(MEAN + SPREAD * _normalised(grey))
        return label, votes


def build_teacher(settings: TeacherSettings) -> nn.Module:
    """The network of these settings."""
    return PooledTeacher(settings) if settings.pooled_stem else TeacherNetwork(settings)


def _normalised(grey: Tensor) -> Tensor:
    mean = grey.mean((1, 2, 3), keepdim=True)
    return (grey - mean) / (grey.std((1, 2, 3), keepdim=True) + MIN_SPREAD)


class _Block(nn.Module):  # type: ignore[misc]
    """Two convolutions, squeezed and excited, added to what came in."""

    def __init__(self, width_in: int, width: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Sequential(_convolution(width_in, width, 3, stride), nn.BatchNorm2d(width), nn.ReLU())
        self.second = nn.Sequential(_convolution(width, width, 3, 1), nn.BatchNorm2d(width))
        self.narrow = nn.Conv2d(width, width // SQUEEZE, 1)
        self.excite = nn.Conv2d(width // SQUEEZE, width, 1)
        self.shortcut = _shortcut(width_in, width, stride)

    def forward(self, values: Tensor) -> Tensor:
        branch = self.second(self.first(values))
        squeezed = branch.mean((2, 3), keepdim=True)
        weights = torch.sigmoid(self.excite(functional.relu(self.narrow(squeezed))))
        return functional.relu(self.shortcut(values) + branch * weights)


def _convolution(width_in: int, width: int, side: int, stride: int) -> nn.Conv2d:
    return nn.Conv2d(width_in, width, side, stride, side // 2, bias=False)


def _shortcut(width_in: int, width: int, stride: int) -> nn.Module:
    if stride == 1 and width_in == width:
        return nn.Identity()
    pool = nn.AvgPool2d(stride, ceil_mode=True) if stride > 1 else nn.Identity()
    return nn.Sequential(pool, nn.Conv2d(width_in, width, 1, bias=False), nn.BatchNorm2d(width))
