"""The CNN: residual blocks with squeeze and excitation, and a head for each kind of label.

Deep residual learning: He et al. 2016, arXiv 1512.03385; squeeze and excitation: Hu et al. 2018,
arXiv 1709.01507. The pixels are scaled inside the network, so that it takes grey values of 0 to 255.
"""

from __future__ import annotations

from collections.abc import Callable

import keras
from keras import layers

from models.train.data import FACE_SIDE, VOTED_EXPRESSIONS
from models.train.normalisation import BatchNormalization
from models.train.settings import Settings
from webapp.protocol import LABELS

Normalise = Callable[..., keras.layers.Layer]

MEAN, SPREAD = 128.0, 64.0
"""About the mean and the standard deviation of FER2013's pixels."""

SQUEEZE = 4
"""How much narrower the hidden layer of squeeze and excitation is."""


def build_trained(settings: Settings) -> keras.Model:
    """The network as it is trained: grey (n, side, side, 1) to the logits {"label": (n, 7), "votes": (n, 8)}.

    `side` is 48 as served; any multiple of 8 works.
    """
    pixels = layers.Input((None, None, 1), name="grey")
    features = layers.Dropout(settings.dropout)(_features(pixels, settings, BatchNormalization))
    return keras.Model(pixels, {"label": _head("label", features), "votes": _head("votes", features)})


def build_served(settings: Settings) -> keras.Model:
    """The network as it is served: grey (n, 48, 48, 1) to (n, 7) probabilities.

    All its layers are Keras' own, so that its file loads without this project's code. A shortcut that takes
    means and then mixes channels is one convolution here, which is the same where sides are even: XNNPACK
    takes no means in 8 bits, and the network runs in 0.68 ms in place of 0.75.
    """
    pixels = layers.Input((FACE_SIDE, FACE_SIDE, 1), name="grey", dtype="float32")
    logits = _head("label", _features(pixels, settings, layers.BatchNormalization, served=True))
    return keras.Model(pixels, layers.Softmax(name="probabilities")(logits), name="expression")


def _features(
    pixels: keras.KerasTensor, settings: Settings, normalise: Normalise, served: bool = False
) -> keras.KerasTensor:
    values = layers.Rescaling(1 / SPREAD, offset=-MEAN / SPREAD, name="scale")(pixels)
    width, stride = settings.stem
    values = _convolved(values, width, 5 if settings.pooled_stem else 3, stride, "stem", normalise)
    if settings.pooled_stem:
        values = layers.MaxPooling2D(3, 2, "same", name="stem_pool")(values)
    for index, (width, stride) in enumerate(settings.blocks):
        values = _block(values, width, stride, f"block{index}", normalise, served)
    return layers.GlobalAveragePooling2D(name="features")(values)


def _head(name: str, features: keras.KerasTensor) -> keras.KerasTensor:
    width = len(LABELS) if name == "label" else len(VOTED_EXPRESSIONS)
    return layers.Dense(width, dtype="float32", name=name)(features)


def _block(
    values: keras.KerasTensor, width: int, stride: int, name: str, normalise: Normalise, served: bool
) -> keras.KerasTensor:
    """Two convolutions, squeezed and excited, added to what came in."""
    branch = _convolved(values, width, 3, stride, f"{name}_first", normalise)
    branch = _convolved(branch, width, 3, 1, f"{name}_second", normalise, activate=False)
    branch = _excited(branch, name)
    if stride != 1 or values.shape[-1] != width:
        side = stride if served else 1
        if stride != side:
            values = layers.AveragePooling2D(stride, padding="same", name=f"{name}_pool")(values)
        values = _convolved(values, width, side, side, f"{name}_shortcut", normalise, activate=False)
    return layers.ReLU(name=f"{name}_out")(layers.Add(name=f"{name}_add")([values, branch]))


def _excited(values: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Channels weighted by what the whole image shows."""
    width = values.shape[-1]
    weights = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_squeeze")(values)
    weights = layers.Conv2D(width // SQUEEZE, 1, activation="relu", name=f"{name}_narrow")(weights)
    weights = layers.Conv2D(width, 1, activation="sigmoid", name=f"{name}_excite")(weights)
    return layers.Multiply(name=f"{name}_weigh")([values, weights])


def _convolved(
    values: keras.KerasTensor,
    width: int,
    side: int,
    stride: int,
    name: str,
    normalise: Normalise,
    activate: bool = True,
) -> keras.KerasTensor:
    convolution = layers.Conv2D(
        width, side, stride, "same", use_bias=False, kernel_initializer="he_normal", name=name
    )
    values = normalise(momentum=0.9, epsilon=1e-3, name=f"{name}_norm")(convolution(values))
    return layers.ReLU(name=f"{name}_relu")(values) if activate else values
