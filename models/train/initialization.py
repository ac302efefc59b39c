"""Initialization of a network with the mean weights of earlier ones, also of shallower ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from models.train.network import build_trained
from models.train.runs import BEST_WEIGHTS, RunError, read_settings

MODEL_FILE, VOTES_FILE = "expression.keras", "fer_plus_head.npz"

Weights = dict[str, list[NDArray[np.float32]]]


def initialize_from(model: keras.Model, folders: Sequence[Path]) -> None:
    """Give a network the mean weights of others that began alike (Wortsman et al. 2022, arXiv 2203.05482).

    Blocks that the others lack do nothing at first: the last scale of their branch is 0 (Goyal et al. 2017,
    arXiv 1706.02677), so that the deeper network starts out as good as the mean.

    Args:
        model: made by `build_trained`.
        folders: of runs, or of model files, whose calibration is a part of their weights.

    Raises:
        RunError: the others' network is not a part of this one.
    """
    others = [_of_files(folder) if (folder / MODEL_FILE).is_file() else _of_run(folder) for folder in folders]
    for layer in model.layers:
        if layer.name in others[0]:
            _set_mean(layer, [other[layer.name] for other in others])
        elif layer.name.endswith("_shortcut"):
            raise RunError(
                f"{folders[0]} cannot initialize {layer.name}: only blocks that keep their width are new."
            )
        elif layer.name.endswith("_second_norm"):
            layer.gamma.assign(keras.ops.zeros_like(layer.gamma))


def _of_run(run: Path) -> Weights:
    model = build_trained(read_settings(run))
    model.load_weights(run / BEST_WEIGHTS)
    return _weights(model)


def _of_files(folder: Path) -> Weights:
    """The weights of model files, with kernels that also take means (see `build_served`) summed up again."""
    weights = _weights(keras.saving.load_model(folder / MODEL_FILE, compile=False))
    for name in weights:
        if name.endswith("_shortcut"):
            weights[name] = [weights[name][0].sum((0, 1), keepdims=True)]
    with np.load(folder / VOTES_FILE) as head:
        return weights | {"votes": [head["kernel"], head["bias"]]}


def _weights(model: keras.Model) -> Weights:
    return {layer.name: layer.get_weights() for layer in model.layers}


def _set_mean(layer: keras.layers.Layer, others: Sequence[list[NDArray[np.float32]]]) -> None:
    means = [np.mean(same, axis=0) for same in zip(*others, strict=True)]
    if [mean.shape for mean in means] != [own.shape for own in layer.get_weights()]:
        raise RunError(f"layer {layer.name} has another shape in the networks to initialize from.")
    layer.set_weights(means)
