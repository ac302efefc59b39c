"""What a network in PyTorch answers for faces."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from models.train.pytorch import autocast
from models.train.targets import Targets

BATCH = 256


def logits(network: nn.Module, faces: NDArray[np.uint8]) -> Targets:
    """The logits of both heads.

    Args:
        network: a teacher or a student, switched to evaluation.
        faces: (n, side, side) uint8 grey.

    Returns:
        {"label": (n, 7), "votes": (n, 8)} float32.
    """
    parts = [_part(network, faces[start : start + BATCH]) for start in range(0, len(faces), BATCH)]
    label, votes = (np.concatenate(rows) for rows in zip(*parts, strict=True))
    return {"label": label, "votes": votes}


def _part(network: nn.Module, faces: NDArray[np.uint8]) -> tuple[NDArray[np.float32], ...]:
    grey = torch.from_numpy(faces[:, None].astype(np.float32))
    with torch.inference_mode(), autocast():
        return tuple(head.float().numpy() for head in network(grey))
