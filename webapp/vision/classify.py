"""Classifies the expression of aligned faces with the CNN of `models/`, in LiteRT or Keras."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from webapp.config import Runtime
from webapp.errors import ModelFileError
from webapp.protocol import LABELS
from webapp.vision.align import CROP_SIZE
from webapp.vision.tflite_model import TFLiteModel

INPUT_SHAPE = (CROP_SIZE, CROP_SIZE, 1)

MIRROR_MARGIN = 0.2
"""A crop whose two most likely expressions are closer than this is undecided: its mirror image counts too.

That is so for 23% of FER2013's validation faces. Accuracy on these crops rises from 69.2 to 69.7%, as much as
if every crop were mirrored, and macro recall from 66.7 to 67.2% (docs/experiments.md).
"""


class Classifier(Protocol):
    """A loaded CNN."""

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The probability of each expression for each face.

        Args:
            crops: (n, 48, 48) uint8, gray, as `align` makes them; n may be 0.

        Returns:
            (n, 7) float32 in the order of `protocol.LABELS`; each row sums to 1.
        """


def load_classifier(runtime: Runtime, model_path: Path) -> Classifier:
    """Load a .tflite file ("litert") or a .keras file ("keras").

    Raises:
        ModelFileError: the file is missing or unreadable, or does not map 48 x 48 x 1 to seven values.
    """
    if not model_path.is_file():
        raise ModelFileError(
            f"There is no model at {model_path}; train one with models/train or set MIEN_MODEL to one."
        )
    return LiteRtClassifier(model_path) if runtime == "litert" else KerasClassifier(model_path)


def probabilities_with_mirrored(classifier: Classifier, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The probabilities of each crop, averaged with those of its mirror image where the crop is undecided.

    Shapes and types are those of `Classifier.probabilities`.
    """
    rows = classifier.probabilities(crops)
    close = undecided(rows)
    if close.any():
        rows[close] = (rows[close] + classifier.probabilities(crops[close, :, ::-1])) / 2
    return rows


def undecided(rows: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which of (n, 7) probabilities have their two highest within MIRROR_MARGIN of each other."""
    second, first = np.partition(rows, -2, axis=1)[:, -2:].T
    close: NDArray[np.bool_] = first - second < MIRROR_MARGIN
    return close


class LiteRtClassifier:
    """A .tflite file; its input and output may be float32 or quantized to 8 bits."""

    def __init__(self, path: Path) -> None:
        try:
            self._model = TFLiteModel(path)
        except (ValueError, RuntimeError) as error:
            raise _unreadable(path, error) from None
        output = self._model.outputs[0]
        _check_shapes(path, self._model.input_shape[1:], tuple(output["shape"][1:]))
        self._gray_values = _quantized_gray(self._model.input)
        self._scale, self._zero = _quantization(output)

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `Classifier`; faces are run one by one, which costs no more than a batch on one core."""
        raw = np.empty((len(crops), len(LABELS)), np.float32)
        for row, crop in zip(raw, crops, strict=True):
            self._model.input_view()[0, :, :, 0] = self._gray_values[crop]
            row[:] = self._model.run()[0][0]
        return _normalized((raw - self._zero) * self._scale)


class KerasClassifier:
    """A .keras file, on one core; Keras is imported only here, because that takes seconds."""

    def __init__(self, path: Path) -> None:
        import keras
        import tensorflow

        with contextlib.suppress(RuntimeError):  # TensorFlow ran before, as in tests: its threads stay
            tensorflow.config.threading.set_intra_op_parallelism_threads(1)
            tensorflow.config.threading.set_inter_op_parallelism_threads(1)
        try:
            self._model = keras.saving.load_model(path, compile=False)
        except (ValueError, TypeError, OSError) as error:
            raise _unreadable(path, error) from None
        _check_shapes(path, tuple(self._model.input_shape[1:]), tuple(self._model.output_shape[1:]))

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `Classifier`."""
        if len(crops) == 0:
            return np.empty((0, len(LABELS)), np.float32)
        return _normalized(np.asarray(self._model.predict_on_batch(crops[..., None].astype(np.float32))))


def _check_shapes(path: Path, input_shape: tuple[int, ...], output_shape: tuple[int, ...]) -> None:
    if input_shape != INPUT_SHAPE or output_shape != (len(LABELS),):
        raise ModelFileError(
            f"{path} maps {input_shape} to {output_shape}, expected {INPUT_SHAPE} to ({len(LABELS)},); "
            "use a model that models/train made for this version."
        )


def _quantization(tensor: dict[str, Any]) -> tuple[float, float]:
    """Scale and zero point of a tensor: value = (stored - zero) * scale; 1 and 0 where it is float."""
    scale, zero = tensor["quantization"]
    return (float(scale), float(zero)) if scale else (1.0, 0.0)


def _quantized_gray(tensor: dict[str, Any]) -> NDArray[Any]:
    """The network's input value for each of the 256 gray values."""
    kind = np.dtype(tensor["dtype"])
    gray = np.arange(256, dtype=np.float32)
    if kind.kind == "f":
        return gray.astype(kind)
    scale, zero = _quantization(tensor)
    limits = np.iinfo(kind)
    return np.clip(np.round(gray / scale + zero), limits.min, limits.max).astype(kind)


def _normalized(raw: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows that sum to 1 despite rounding to 8 bits."""
    positive = np.maximum(raw, 1e-6)
    rows: NDArray[np.float32] = (positive / positive.sum(axis=1, keepdims=True)).astype(np.float32)
    return rows


def _unreadable(path: Path, error: Exception) -> ModelFileError:
    return ModelFileError(f"{path} cannot be read as a model ({error}); replace it with an intact one.")
