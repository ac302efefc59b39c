"""The expression classifier alone, one face on one core, and its size; beside it that of the package fer.

fer's network is timed as Keras runs it and, so that the networks are compared and not their runtimes, as
LiteRT runs it too.

`python -m tests.bench.bench_classifier`, after `make bench-peer` has fetched fer.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.bench.measure import Timing, timed
from tests.bench.report import Goal, Row, print_goals, print_rows, write_json
from tests.serving import PROJECT_ROOT
from webapp.config import Runtime
from webapp.vision.classify import load_classifier
from webapp.vision.network import Network

MODELS = PROJECT_ROOT / "models"
PEER_FOLDER = PROJECT_ROOT / ".venv-peer"
PEER_MODEL = "emotion_model.hdf5"

LIMIT_MS, LIMIT_MB = 1.5, 5.0


def row(name: str, timing: Timing, size_bytes: int) -> Row:
    """A line of the table."""
    sizes = {"MB": size_bytes / 1e6}
    return {"what": name, "median ms": timing.median_ms, "p95 ms": timing.p95_ms, **sizes}


def our_row(runtime: Runtime, name: str) -> Row:
    """One face through the classifier of the server."""
    crop = np.random.default_rng(1).integers(0, 256, (1, 48, 48)).astype(np.uint8)
    classifier = load_classifier(runtime, MODELS / name)
    timing = timed(name, lambda: classifier.probabilities(crop))
    return row(f"{name}, {runtime}", timing, (MODELS / name).stat().st_size)


def peer_rows(path: Path) -> list[Row]:
    """fer's network on one of its pictures, 64 x 64 grey, by both runtimes."""
    import keras
    import tensorflow

    model = keras.saving.load_model(path, compile=False)
    face = tensorflow.constant(np.zeros((1, *model.input_shape[1:]), np.float32))
    call: Callable[[], object] = tensorflow.function(lambda: model(face, training=False))
    lite = bytes(tensorflow.lite.TFLiteConverter.from_keras_model(model).convert())
    size = path.stat().st_size
    return [
        row("fer's network, keras", timed("keras", call), size),
        row("fer's network, litert float", timed("litert", Network(lite).run), len(lite)),
    ]


def main() -> list[Goal]:
    """Measure and print."""
    ours = our_row("litert", "expression.tflite")
    rows = [ours, our_row("keras", "expression.keras")]
    peer = next(PEER_FOLDER.rglob(PEER_MODEL), None)
    if peer is None:
        print("\nfer's classifier is not measured: `make bench-peer` fetches it first.")
    else:
        rows += peer_rows(peer)
    print_rows("The classifier, one face on one core", rows)
    write_json("classifier", rows)
    return [
        Goal("ms a face of the classifier", float(str(ours["median ms"])), LIMIT_MS, at_most=True),
        Goal("MB of the classifier", float(str(ours["MB"])), LIMIT_MB, at_most=True),
    ]


if __name__ == "__main__":
    print_goals(main())
