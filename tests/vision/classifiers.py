"""A small CNN whose answers depend on the image, for tests of what loads and runs models."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from webapp.protocol import LABELS


def build_classifier(side: int = 48, outputs: int = len(LABELS)) -> Any:
    """An untrained Keras model in the form that `models/train` gives: raw gray values to probabilities."""
    import keras

    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input((side, side, 1)),
            keras.layers.Rescaling(1 / 127.5, offset=-1),
            keras.layers.Conv2D(8, 3, strides=2, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(outputs, activation="softmax"),
        ]
    )


def to_tflite(model: Any, quantised: bool) -> bytes:
    """The model as a .tflite file, with 8 bits for weights, input and output where it is quantised."""
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if quantised:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = _samples
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Statistics for quantized inputs")  # it takes them from _samples
        content: bytes = converter.convert()
    return content


def crops(count: int) -> NDArray[np.uint8]:
    """Images from dark to light with some noise."""
    random = np.random.default_rng(3)
    noise = random.integers(0, 60, (count, 48, 48))
    return (noise + np.linspace(0, 195, count)[:, None, None]).astype(np.uint8)


def _samples() -> Iterator[list[NDArray[np.float32]]]:
    for crop in crops(30):
        yield [crop[None, :, :, None].astype(np.float32)]
