"""Gives a network in training the weights of the recognition network or of a teacher."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from models.train import recognition
from models.train.network import MEAN, SPREAD
from models.train.recognition import BLOCKS, STEM, Convolution
from models.train.runs import RunError
from models.train.student.network import MOMENTUM, Block, Convolved, StudentNetwork

SQUARED_NORM = 2.0
"""Of a kernel, as He's initialization has it. Before a normalisation it changes no answer, but shorter
kernels turn faster: as they are, the first epoch would undo them."""

OPEN = 3.0
"""Of squeeze and excitation at first, before the sigmoid: every channel passes, nearly whole."""

FACES = 512
"""How many faces at most set the normalisations."""


def initialize_from_recognition(
    network: StudentNetwork, convolutions: dict[str, Convolution], faces: NDArray[np.uint8]
) -> None:
    """Give a network the weights, as far as its blocks are of the same widths; the others stay as they are.

    Args:
        network: with a pooled stem of 32 channels.
        convolutions: from `read_recognition`.
        faces: (n, side, side) uint8 grey; the normalisations take the mean and spread of some of them.
    """
    some = faces[:: len(faces) // FACES + 1]
    hooks = [_set(network.stem, _rescaled(convolutions[STEM]))]
    for name, block in zip(BLOCKS, network.blocks, strict=False):
        first, second = convolutions[f"{name}/1"], convolutions[f"{name}/2"]
        if block.first.kernel.weight.shape != first.kernel.shape:
            break
        hooks += _set_block(block, first, second)
    with torch.no_grad():
        network.eval()(torch.from_numpy(some[:, None].astype(np.float32)))
    for hook in hooks:
        hook.remove()


def initialize_from_teacher(network: StudentNetwork, snapshot: Path, faces: NDArray[np.uint8]) -> None:
    """Give a network the weights of a teacher with a pooled stem and the same blocks, or fewer.

    Blocks that the teacher lacks do nothing at first. The teacher normalises each face by its own mean and
    spread, so the normalisations take theirs anew from some faces.

    Args:
        network: with a pooled stem.
        snapshot: the teacher's weights (.npz).
        faces: (n, side, side) uint8 grey.

    Raises:
        RunError: the teacher's network is not a part of this one.
    """
    own = network.state_dict()
    with np.load(snapshot) as kept:
        weights = {name: torch.from_numpy(kept[name].astype(np.float32)) for name in kept.files}
    if any(name not in own or own[name].shape != given.shape for name, given in weights.items()):
        raise RunError(f"{snapshot} cannot initialize this network: its layers are others.")
    network.load_state_dict({**own, **weights})
    for block in network.blocks:
        if f"blocks.{block.name.removeprefix('block')}.second.norm.weight" not in weights:
            nn.init.zeros_(block.second.norm.weight)
    _measure_norms(network, faces[:: len(faces) // FACES + 1])


def _measure_norms(network: StudentNetwork, faces: NDArray[np.uint8]) -> None:
    """Give every normalisation the mean and spread of these faces."""
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean over all batches
    with torch.no_grad():
        network.train()(torch.from_numpy(faces[:, None].astype(np.float32)))
    for norm in norms:
        norm.momentum = MOMENTUM


def _rescaled(stem: Convolution) -> Convolution:
    """The stem for pixels as `StudentNetwork` scales them."""
    offset = stem.kernel.sum((1, 2, 3)) * (MEAN - recognition.MEAN) / recognition.SPREAD
    kernel = stem.kernel * np.float32(SPREAD / recognition.SPREAD)
    return Convolution(kernel, stem.scale, stem.shift + stem.scale * offset)


def _set_block(block: Block, first: Convolution, second: Convolution) -> list[RemovableHandle]:
    """The branch of a block, excited evenly, beside what came in, which its first channels keep."""
    with torch.no_grad():
        block.excite.weight.zero_()
        block.excite.bias.fill_(OPEN)
    passed = 1 / (1 + np.exp(-OPEN))
    whole = Convolution(second.kernel, second.scale / passed, second.shift / passed)
    hooks = [_set(block.first, first), _set(block.second, whole)]
    if isinstance(block.shortcut, nn.Sequential):
        hooks.append(_set_shortcut(block.shortcut[1]))
    return hooks


def _set_shortcut(shortcut: Convolved) -> RemovableHandle:
    kernel = shortcut.kernel.weight.detach().numpy().copy()
    width, width_in = kernel.shape[:2]
    kernel[:width_in] = np.eye(width_in)[..., None, None]
    scale = (np.arange(width) < width_in).astype(np.float32)
    return _set(shortcut, Convolution(kernel, scale, np.zeros(width, np.float32)))


def _set(convolved: Convolved, given: Convolution) -> RemovableHandle:
    """Set the kernel at once, and the normalisation when the first faces come to it."""
    norms = np.linalg.norm(given.kernel.reshape(len(given.kernel), -1), axis=1)
    longer = np.sqrt(SQUARED_NORM) / norms
    with torch.no_grad():
        convolved.kernel.weight.copy_(torch.from_numpy(given.kernel * longer[:, None, None, None]))
    scale, shift = torch.from_numpy(given.scale / longer).float(), torch.from_numpy(given.shift).float()

    def set_norm(norm: nn.BatchNorm2d, values: tuple[Tensor]) -> None:
        variance, mean = torch.var_mean(values[0], dim=(0, 2, 3))
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        norm.weight.copy_(scale * torch.sqrt(variance + norm.eps))
        norm.bias.copy_(shift + scale * mean)

    return convolved.norm.register_forward_pre_hook(set_norm)
