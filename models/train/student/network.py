"""The CNN of `models.train.network` in PyTorch: the same layers, under the same names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.train.data import VOTED_EXPRESSIONS
from models.train.network import MEAN, SPREAD, SQUEEZE
from webapp.protocol import LABELS

EPSILON, MOMENTUM = 1e-3, 0.1


class Architecture(Protocol):
    """What a network needs of the settings of its training."""

    @property
    def stem(self) -> tuple[int, int]: ...  # noqa: D102

    @property
    def pooled_stem(self) -> bool: ...  # noqa: D102

    @property
    def blocks(self) -> Sequence[tuple[int, int]]: ...  # noqa: D102

    @property
    def dropout(self) -> float: ...  # noqa: D102


class StudentNetwork(nn.Module):  # type: ignore[misc]
    """Grey (n, 1, side, side) of 0 to 255 to the logits (n, 7) of LABELS and (n, 8) of VOTED_EXPRESSIONS.

    `side` is 48 as served; any multiple of 8 works.
    """

    def __init__(self, settings: Architecture) -> None:
        super().__init__()
        width, stride = settings.stem
        self.stem = Convolved("stem", 1, width, 5 if settings.pooled_stem else 3, stride)
        self.pool = _MaxPool() if settings.pooled_stem else nn.Identity()
        blocks = []
        for index, (block_width, block_stride) in enumerate(settings.blocks):
            blocks.append(Block(f"block{index}", width, block_width, block_stride))
            width = block_width
        self.blocks = nn.Sequential(*blocks)
        self.dropout = nn.Dropout(settings.dropout)
        self.label = nn.Linear(width, len(LABELS))
        self.votes = nn.Linear(width, len(VOTED_EXPRESSIONS))

    def forward(self, grey: Tensor) -> tuple[Tensor, Tensor]:
        """The two heads' logits."""
        pixels = ((grey - MEAN) / SPREAD).contiguous(memory_format=torch.channels_last)
        features = self.dropout(self.blocks(self.pool(functional.relu(self.stem(pixels)))).mean((2, 3)))
        return self.label(features), self.votes(features)

    def layers(self) -> dict[str, nn.Module]:
        """Every layer with weights, by the name of its twin in Keras."""
        found = {"label": self.label, "votes": self.votes}
        for module in self.modules():
            if isinstance(module, Convolved):
                found |= {module.name: module.kernel, f"{module.name}_norm": module.norm}
            elif isinstance(module, Block):
                found |= {f"{module.name}_narrow": module.narrow, f"{module.name}_excite": module.excite}
        return found


class _MaxPool(nn.Module):  # type: ignore[misc]
    """The largest of 3x3 values, none of them below 0, at every second pixel, padded as Keras does."""

    def forward(self, values: Tensor) -> Tensor:
        return functional.max_pool2d(functional.pad(values, (0, 1, 0, 1)), 3, 2)


class Convolved(nn.Module):  # type: ignore[misc]
    """A normalised convolution that pads as Keras does: below and on the right where it halves the side."""

    def __init__(self, name: str, width_in: int, width: int, side: int, stride: int) -> None:
        super().__init__()
        self.name = name
        self._uneven = side == 3 and stride == 2
        padding = 0 if self._uneven else side // 2
        self.kernel = nn.Conv2d(width_in, width, side, stride, padding, bias=False)
        nn.init.kaiming_normal_(self.kernel.weight, nonlinearity="relu")
        self.norm = nn.BatchNorm2d(width, eps=EPSILON, momentum=MOMENTUM)

    def forward(self, values: Tensor) -> Tensor:
        """(n, width_in, side, side) to (n, width, side / stride, side / stride)."""
        if self._uneven:
            values = functional.pad(values, (0, 1, 0, 1))
        return self.norm(self.kernel(values))


class Block(nn.Module):  # type: ignore[misc]
    """Two convolutions, squeezed and excited, added to what came in."""

    def __init__(self, name: str, width_in: int, width: int, stride: int) -> None:
        super().__init__()
        self.name = name
        self.first = Convolved(f"{name}_first", width_in, width, 3, stride)
        self.second = Convolved(f"{name}_second", width, width, 3, 1)
        self.narrow = nn.Conv2d(width, width // SQUEEZE, 1)
        self.excite = nn.Conv2d(width // SQUEEZE, width, 1)
        self.shortcut = _shortcut(f"{name}_shortcut", width_in, width, stride)

    def forward(self, values: Tensor) -> Tensor:
        """(n, width_in, side, side) to (n, width, side / stride, side / stride)."""
        branch = self.second(functional.relu(self.first(values)))
        squeezed = functional.relu(self.narrow(branch.mean((2, 3), keepdim=True)))
        return functional.relu(self.shortcut(values) + branch * torch.sigmoid(self.excite(squeezed)))


def _shortcut(name: str, width_in: int, width: int, stride: int) -> nn.Module:
    if stride == 1 and width_in == width:
        return nn.Identity()
    pool = nn.AvgPool2d(stride) if stride > 1 else nn.Identity()
    return nn.Sequential(pool, Convolved(name, width_in, width, 1, 1))
