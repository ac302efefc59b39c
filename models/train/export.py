"""Writes the files of `models/` from a run: `python -m models.train.export --run build/runs/NAME`.

The averaged weights of the run's best epoch go into a network of Keras' own layers, which ends in
calibrated probabilities at the operating point. That network becomes
`expression.keras` and, with weights and activations of 8 bits, `expression.tflite`; where 8 bits cost too
much accuracy, the TFLite file keeps floats. Needs the TensorFlow backend of Keras.

A run that was trained on the validation faces too is overconfident on them, so its output is calibrated with
the predictions of the run before it, given as `--before`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from models.train.batches import as_input
from models.train.calibration import CALIBRATED_ON, as_logits, cross_validated, fit_output, hold_out
from models.train.data import UNKNOWN, FaceSet
from models.train.faces import DEFAULT_DATA, read_aligned
from models.train.network import build_served, build_trained
from models.train.runs import BEST_WEIGHTS, RunError, best_score, read_settings
from models.train.scores import score
from models.train.student.settings import LAST
from webapp.protocol import LABELS
from webapp.vision.classify import load_classifier

MODELS = Path(__file__).resolve().parent.parent
MODEL_FILES = ("expression.keras", "expression.tflite", "fer_plus_head.npz", "labels.json")

MAX_LOSS = 0.003
"""How much accuracy on validation the TFLite file may lose."""

CALIBRATION_FACES = 500
"""How many faces of `train` set the ranges of the 8-bit activations."""

FLOAT_OPERATIONS = ["SOFTMAX"]
"""Kept in float32, which takes no longer: 8 bits hold no probability between 0 and 1/256.

Relative probabilities (docs/baseline.md) divide by such: on a still image one jumped from 0.03 to 0.50.
"""


def export(run: Path, data: Path, folder: Path = MODELS, before: Path | None = None) -> None:
    """Write the model files, and their SHA-256 into the model card if there is one.

    Raises:
        RunError: the run has no score on validation, as it learned from it, and there is none `before`.
    """
    validation = read_aligned(data, CALIBRATED_ON)
    validation = validation.take(validation.labels != UNKNOWN)
    write_fer_plus_head(run, folder / "fer_plus_head.npz")
    (folder / "labels.json").write_text(json.dumps(list(LABELS)) + "\n")
    _write_network(served_model(run, validation, before), validation, data, folder)


def recalibrate(data: Path, folder: Path = MODELS) -> None:
    """Fit calibration and operating point of the files in a folder again, without the run that made them."""
    validation = read_aligned(data, CALIBRATED_ON)
    validation = validation.take(validation.labels != UNKNOWN)
    model = keras.saving.load_model(folder / "expression.keras", compile=False)
    calibrate(model, validation, model)
    _write_network(model, validation, data, folder)


def _write_network(model: keras.Model, validation: FaceSet, data: Path, folder: Path) -> None:
    model.save(folder / "expression.keras")
    write_tflite(model, folder / "expression.tflite", read_aligned(data, "train").images, validation)
    sign_card(folder)


def served_model(run: Path, validation: FaceSet, before: Path | None = None) -> keras.Model:
    """The network of a run's best epoch, calibrated with its predictions on these faces, or `before`'s."""
    if before is None and best_score(run) is None:
        raise RunError(
            f"{run} has no score, as it learned from the validation faces too: its output cannot be fitted "
            "to them. Name the run before it with --before."
        )
    served = uncalibrated_model(run)
    calibrate(served, validation, served if before is None else uncalibrated_model(before))
    return served


def uncalibrated_model(run: Path) -> keras.Model:
    """The network of a run's best epoch."""
    settings = read_settings(run)
    trained, served = build_trained(settings), build_served(settings)
    trained.load_weights(run / BEST_WEIGHTS)
    copy_weights(trained, served)
    return served


def write_fer_plus_head(run: Path, path: Path) -> None:
    """Keep the other head, for evaluation: kernel (features, 8) and bias (8,) of FER+'s expressions."""
    trained = build_trained(read_settings(run))
    trained.load_weights(run / BEST_WEIGHTS)
    kernel, bias = trained.get_layer("votes").get_weights()
    np.savez(path, kernel=kernel, bias=bias)


def copy_weights(trained: keras.Model, served: keras.Model) -> None:
    """Copy the weights of every layer that both networks have, by name."""
    for layer in served.layers:
        if layer.weights:
            given = trained.get_layer(layer.name).get_weights()
            layer.set_weights([_spread(*pair) for pair in zip(given, layer.get_weights(), strict=True)])


def _spread(given: NDArray[np.float32], served: NDArray[np.float32]) -> NDArray[np.float32]:
    """A kernel as it is, or one for means of squares as one for the squares' pixels; see `build_served`."""
    pixels = served.size // given.size
    return given if pixels == 1 else np.broadcast_to(given / pixels, served.shape)


def calibrate(served: keras.Model, faces: FaceSet, fitted: keras.Model) -> None:
    """Scale and shift the network's logits for likely probabilities and the operating point.

    Scale and shift are those of the `fitted` network, which never saw these faces. Prints what that is worth
    on faces that were held out of the fit; on those of the fit it looks better.
    """
    probabilities = fitted.predict(as_input(faces.images), batch_size=256, verbose=0)
    scale, shift = fit_output(as_logits(probabilities), faces.labels)
    if folds := hold_out(probabilities, faces.labels):
        of = cross_validated([fold.apply(probabilities) for fold in folds], faces.labels)
        print(
            f"cross-validated: accuracy {of['accuracy']:.2%}, macro recall {of['balanced_accuracy']:.2%}, "
            f"calibration error {of['calibration_error']:.3f}"
        )
    head = served.get_layer("label")
    kernel, bias = head.get_weights()
    head.set_weights([kernel * scale, bias * scale + shift])


def write_tflite(model: keras.Model, path: Path, images: NDArray[np.uint8], validation: FaceSet) -> None:
    """Write the model with 8 bits if that loses at most MAX_LOSS on validation, else with floats."""
    answers = model.predict(as_input(validation.images), batch_size=256, verbose=0)
    expected = score(validation.labels, answers).accuracy
    for convert in (quantised, floating):
        path.write_bytes(convert(model, images))
        answers = load_classifier("litert", path).probabilities(validation.images)
        reached = score(validation.labels, answers).accuracy
        print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB, {reached:.2%}; Keras {expected:.2%}")
        if reached >= expected - MAX_LOSS:
            return


def quantised(model: keras.Model, images: NDArray[np.uint8]) -> bytes:
    """The model as TFLite with 8-bit weights and activations, but for FLOAT_OPERATIONS.

    Args:
        model: the served network.
        images: (n, 48, 48) uint8 faces; up to CALIBRATION_FACES of them set the ranges of the activations.
    """
    chosen = images[:: max(1, len(images) // CALIBRATION_FACES)]

    def faces() -> Iterator[list[NDArray[np.float32]]]:
        for image in tqdm(chosen, desc="measuring activations", unit="face"):
            yield [as_input(image[None])]

    from tensorflow import lite

    converter = lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [lite.Optimize.DEFAULT]
    converter.representative_dataset = faces
    options = lite.experimental.QuantizationDebugOptions(denylisted_ops=FLOAT_OPERATIONS)
    with warnings.catch_warnings():  # TensorFlow's own tool uses its deprecated interpreter
        warnings.filterwarnings("ignore", r"\s*Warning: tf.lite.Interpreter is deprecated")
        debugger = lite.experimental.QuantizationDebugger(
            converter=converter, debug_dataset=faces, debug_options=options
        )
    return bytes(debugger.get_nondebug_quantized_model())


def floating(model: keras.Model, images: NDArray[np.uint8]) -> bytes:  # noqa: ARG001 - called as `quantised` is
    """The model as TFLite in float32; needs no faces."""
    from tensorflow import lite

    return bytes(lite.TFLiteConverter.from_keras_model(model).convert())


def sign_card(folder: Path) -> None:
    """Put each file's SHA-256, teachers' too, into its line of the model card, `| name | sha256 |`."""
    card = folder / "README.md"
    if not card.is_file():
        return
    text = card.read_text()
    for path in (*(folder / name for name in MODEL_FILES), *sorted(folder.glob("teachers/*.npz"))):
        name, digest = path.relative_to(folder).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest()
        text = re.sub(rf"(\| `{re.escape(name)}` \| `)[0-9a-f]*(`)", rf"\g<1>{digest}\g<2>", text)
    card.write_text(text)


def main() -> None:
    """Export from the command line."""
    parser = argparse.ArgumentParser(description="Write the model files from a run.")
    parser.add_argument("--run", type=Path, default=LAST)
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA)
    parser.add_argument("--models", type=Path, default=MODELS, help="folder to write to")
    parser.add_argument(
        "--recalibrate",
        action="store_true",
        help="fit the output of the files in --models again; needs no run",
    )
    parser.add_argument("--before", type=Path, help="the run before a --final one, which calibrates it")
    arguments = parser.parse_args()
    if arguments.recalibrate:
        recalibrate(arguments.data, arguments.models)
    else:
        export(arguments.run, arguments.data, arguments.models, arguments.before)


if __name__ == "__main__":
    main()
