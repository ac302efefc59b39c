"""The expression classifier alone, one face on one core, and its size; beside it that of the package fer.

fer runs its quantised TFLite file unless told otherwise. Its network is also timed as called by Keras, which
is fer's other way, and converted to floats in LiteRT. All take turns in one run, on one core each.

`python -m tests.bench.bench_classifier`, after `make bench-peer` has fetched fer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tests.bench.measure import Timing, timed_in_turn
from tests.bench.report import Goal, Row, print_goals, print_rows, write_json
from tests.helpers.serving import PROJECT_ROOT
from webapp.config import Runtime
from webapp.vision.classify import load_classifier
from webapp.vision.tflite_model import TFLiteModel

MODELS = PROJECT_ROOT / "models"
PEER_FOLDER = PROJECT_ROOT / ".venv-peer"
PEER_MODEL, PEER_QUANTISED = "emotion_model.hdf5", "emotion_model_quantized.tflite"

LIMIT_MS, LIMIT_MB = 1.5, 5.0


class Subject(NamedTuple):
    """What is timed: one face a call; and the size of its file."""

    name: str
    call: Callable[[], object]
    size_bytes: int


def ours(runtime: Runtime, name: str) -> Subject:
    """One face through the classifier of the server."""
    crop = np.random.default_rng(1).integers(0, 256, (1, 48, 48)).astype(np.uint8)
    classifier = load_classifier(runtime, MODELS / name)
    size = (MODELS / name).stat().st_size
    return Subject(f"{name}, {runtime}", lambda: classifier.probabilities(crop), size)


def peers(folder: Path) -> Iterator[Subject]:
    """fer's network on one face of 64 x 64 gray, from its folder of data files."""
    import keras
    import tensorflow

    quantised, whole = folder / PEER_QUANTISED, folder / PEER_MODEL
    model = keras.saving.load_model(whole, compile=False)
    face = np.zeros((1, *model.input_shape[1:]), np.float32)
    lite = bytes(tensorflow.lite.TFLiteConverter.from_keras_model(model).convert())
    size = whole.stat().st_size
    yield Subject(
        "fer's, litert quantised (its default)", TFLiteModel(quantised).run, quantised.stat().st_size
    )
    yield Subject("fer's, litert float", TFLiteModel(lite).run, len(lite))
    yield Subject("fer's, keras as fer calls it", lambda: model(face), size)
    yield Subject("fer's, keras compiled", tensorflow.function(lambda: model(face, training=False)), size)


def row(subject: Subject, timing: Timing, served: Timing) -> Row:
    """A line of the table; the ratio is to what the server runs."""
    return {
        "what": subject.name,
        "median ms": timing.median_ms,
        "p95 ms": timing.p95_ms,
        "times ours": timing.median_ms / served.median_ms,
        "MB": subject.size_bytes / 1e6,
    }


def main() -> list[Goal]:
    """Measure and print."""
    # Keras first: it holds TensorFlow to one core, which can be chosen only before TensorFlow runs.
    whole, served = ours("keras", "expression.keras"), ours("litert", "expression.tflite")
    subjects = [served, whole]
    peer = next(PEER_FOLDER.rglob(PEER_MODEL), None)
    if peer is None:
        print("\nfer's classifier is not measured: `make bench-peer` fetches it first.")
    else:
        subjects += peers(peer.parent)
    timings = timed_in_turn({subject.name: subject.call for subject in subjects})
    rows = [row(subject, timing, timings[0]) for subject, timing in zip(subjects, timings, strict=True)]
    print_rows("The classifier, one face on one core", rows)
    write_json("classifier", rows)
    return [
        Goal("ms a face of the classifier", timings[0].median_ms, LIMIT_MS, at_most=True),
        Goal("MB of the classifier", served.size_bytes / 1e6, LIMIT_MB, at_most=True),
    ]


if __name__ == "__main__":
    print_goals(main())
