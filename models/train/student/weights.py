"""Moves weights between the student in PyTorch and its twin in Keras, of `models.train.network`."""

from __future__ import annotations

import keras
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.train.student.network import StudentNetwork

NORM = ("weight", "bias", "running_mean", "running_var")
"""The weights of a normalisation, in Keras' order."""


def to_keras(network: StudentNetwork, model: keras.Model) -> None:
    """Give a Keras network of the same settings the weights of a student."""
    for name, layer in network.layers().items():
        model.get_layer(name).set_weights(list(_arrays(layer).values()))


def from_keras(network: StudentNetwork, model: keras.Model) -> None:
    """Give a student the weights of a Keras network of the same settings."""
    for name, layer in network.layers().items():
        names = _arrays(layer)
        given = zip(names, model.get_layer(name).get_weights(), strict=True)
        tensors = {part: _tensor(array) for part, array in given}
        layer.load_state_dict({**layer.state_dict(), **tensors})


def _arrays(layer: nn.Module) -> dict[str, NDArray[np.float32]]:
    """The weights of a layer by their name in PyTorch, in Keras' order and shapes."""
    state = layer.state_dict()
    return {part: _array(state[part]) for part in NORM if part in state}


def _array(weights: Tensor) -> NDArray[np.float32]:
    """As Keras has it: kernels of convolutions (height, width, in, out), of dense layers (in, out)."""
    array: NDArray[np.float32] = weights.detach().float().numpy()
    return array.transpose(2, 3, 1, 0) if array.ndim == 4 else array.T


def _tensor(array: NDArray[np.float32]) -> Tensor:
    """The inverse of `_array`."""
    return torch.tensor(array.transpose(3, 2, 0, 1) if array.ndim == 4 else array.T)
