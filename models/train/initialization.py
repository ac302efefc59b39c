"""Initialization of a network with the mean weights of earlier runs, also where it is deeper than theirs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from models.train.network import build_trained
from models.train.runs import BEST_WEIGHTS, RunError, read_settings


def initialize_from(model: keras.Model, runs: Sequence[Path]) -> None:
    """Give a network the mean weights of runs that began alike (Wortsman et al. 2022, arXiv 2203.05482).

    Blocks that the runs' network lacks do nothing at first: the last scale of their branch is 0 (Goyal et
    al. 2017, arXiv 1706.02677), so that the deeper network starts out as good as the mean.

    Raises:
        RunError: the runs' network is not a part of this one.
    """
    others = [_trained(run) for run in runs]
    known = {layer.name for layer in others[0].layers}
    for layer in model.layers:
        if layer.name in known:
            _set_mean(layer, [other.get_layer(layer.name) for other in others])
        elif layer.name.endswith("_shortcut"):
            raise RunError(
                f"{runs[0]} cannot initialize {layer.name}: only blocks that keep their width are new."
            )
        elif layer.name.endswith("_second_norm"):
            layer.gamma.assign(keras.ops.zeros_like(layer.gamma))


def _trained(run: Path) -> keras.Model:
    model = build_trained(read_settings(run))
    model.load_weights(run / BEST_WEIGHTS)
    return model


def _set_mean(layer: keras.layers.Layer, others: Sequence[keras.layers.Layer]) -> None:
    weights = (other.get_weights() for other in others)
    means = [np.mean(same, axis=0) for same in zip(*weights, strict=True)]
    if [mean.shape for mean in means] != [own.shape for own in layer.get_weights()]:
        raise RunError(f"layer {layer.name} has another shape in the runs to initialize from.")
    layer.set_weights(means)
