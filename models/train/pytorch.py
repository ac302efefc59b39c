"""What all trainings in PyTorch share: steps, the moving average of the weights, checkpoints."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.train.targets import Targets

CHECKPOINT = "checkpoint.pt"

HAS_FAST_BFLOAT16 = torch.backends.cpu.get_cpu_capability() == "AVX512"
"""With AVX2 alone a step in bfloat16 takes three times as long as in float32, and an answer ten times."""


class StepSettings(Protocol):
    """What a step needs of a training's settings."""

    @property
    def seed(self) -> int: ...  # noqa: D102

    @property
    def peak_learning_rate(self) -> float: ...  # noqa: D102

    @property
    def momentum(self) -> float: ...  # noqa: D102

    @property
    def ema_momentum(self) -> float: ...  # noqa: D102

    @property
    def votes_weight(self) -> float: ...  # noqa: D102


class Training:
    """A network in training, the moving average of its weights, and its optimizer.

    `epoch` is the number of whole epochs so far. A network takes (n, 1, side, side) faces and returns the
    logits of both heads.
    """

    def __init__(self, network: nn.Module, settings: StepSettings, weight_decay: float, run: Path) -> None:
        self._settings, self.run = settings, run
        self.network = network.to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.network).eval()
        self._optimizer = _optimizer(self.network, settings, weight_decay)
        self.epoch = 0

    def resume(self) -> bool:
        """Continue from the last checkpoint; false if there is none."""
        path = self.run / CHECKPOINT
        if not path.is_file():
            return False
        state = torch.load(path, weights_only=True)
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self._optimizer.load_state_dict(state["optimizer"])
        self.epoch = state["epoch"]
        return True

    def save(self) -> None:
        """Write the checkpoint; a stop while it is written leaves the one before."""
        partial = self.run / f"{CHECKPOINT}.partial"
        state = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "epoch": self.epoch,
        }
        torch.save(state, partial)
        partial.replace(self.run / CHECKPOINT)

    def start_epoch(self) -> None:
        """Draw the same numbers for dropout as before a stop."""
        torch.manual_seed(self._settings.seed * 1000 + self.epoch)

    def step(self, faces: NDArray[np.float32], wanted: Targets, rate: float) -> float:
        """One step on (n, 1, side, side) faces with this learning rate; returns its loss."""
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.zero_grad(set_to_none=True)
        with autocast():
            label, votes = self.network.train()(torch.from_numpy(faces))
        loss = _cross_entropy(label, wanted["label"])
        loss = loss + self._settings.votes_weight * _cross_entropy(votes, wanted["votes"])
        loss.backward()
        self._optimizer.step()
        self._update_average()
        return float(loss.detach())

    def _update_average(self) -> None:
        with torch.no_grad():
            pairs = zip(self.average.state_dict().values(), self.network.state_dict().values(), strict=True)
            for mean, now in pairs:
                if mean.is_floating_point():
                    mean.lerp_(now, 1 - self._settings.ema_momentum)


def autocast() -> torch.autocast:
    """Within it networks run in bfloat16 on processors that are fast with it."""
    return torch.autocast("cpu", torch.bfloat16, enabled=HAS_FAST_BFLOAT16)


def _optimizer(network: nn.Module, settings: StepSettings, weight_decay: float) -> torch.optim.SGD:
    """Weight decay for the kernels alone, not for what normalises or shifts."""
    kernels = [weights for weights in network.parameters() if weights.ndim > 1]
    others = [weights for weights in network.parameters() if weights.ndim <= 1]
    groups = [
        {"params": kernels, "weight_decay": weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.SGD(
        groups, settings.peak_learning_rate, settings.momentum, nesterov=True, foreach=True
    )


def _cross_entropy(logits: Tensor, wanted: NDArray[np.float32]) -> Tensor:
    """The mean over all faces; rows of zeros ask for nothing."""
    return -(torch.from_numpy(wanted) * torch.log_softmax(logits.float(), dim=1)).sum(dim=1).mean()
