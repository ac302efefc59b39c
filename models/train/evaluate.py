"""Measures a model: `python -m models.train.evaluate --sheets DIR --split validation --json FILE`.

The model is the file as served, run by the server's own classifier, on faces cut as the server cuts them
(and left as they are where the face mesh finds none). One network, one crop, no averaging over variations.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.train.data import UNKNOWN
from models.train.faces import DEFAULT_DATA, read_aligned
from webapp.config import Runtime
from webapp.messages import LABELS
from webapp.vision.classify import load_classifier

DEFAULT_MODEL = Path("models/expression.tflite")
CALIBRATION_BINS = 15


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """How often a model is right, from its (7, 7) confusion matrix: true labels down, answers across.

    A figure that would divide by nothing (a label that never occurs, or is never answered) is 0.
    """

    confusion: NDArray[np.int64]
    calibration_error: float

    @property
    def accuracy(self) -> float:
        """The part of all faces that is named right."""
        return float(np.trace(self.confusion) / max(1, self.confusion.sum()))

    @property
    def recall(self) -> NDArray[np.float64]:
        """(7,) the part of each label's faces that is named so."""
        return _parts(self.confusion, self.confusion.sum(axis=1))

    @property
    def precision(self) -> NDArray[np.float64]:
        """(7,) the part of the faces named so that carry the label."""
        return _parts(self.confusion, self.confusion.sum(axis=0))

    @property
    def f1(self) -> NDArray[np.float64]:
        """(7,) the harmonic mean of precision and recall."""
        both = self.confusion.sum(axis=0) + self.confusion.sum(axis=1)
        return 2 * _parts(self.confusion, both)

    @property
    def balanced_accuracy(self) -> float:
        """The mean recall over the labels that occur."""
        occurs = self.confusion.sum(axis=1) > 0
        return float(self.recall[occurs].mean()) if occurs.any() else 0.0

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        columns = {"precision": self.precision, "recall": self.recall, "f1": self.f1}
        return {
            "images": int(self.confusion.sum()),
            "accuracy": self.accuracy,
            "balanced_accuracy": self.balanced_accuracy,
            "macro_f1": float(self.f1.mean()),
            "calibration_error": self.calibration_error,
            "classes": {
                label: {name: float(values[index]) for name, values in columns.items()}
                for index, label in enumerate(LABELS)
            },
            "labels": list(LABELS),
            "confusion": self.confusion.tolist(),
        }


def _parts(confusion: NDArray[np.int64], totals: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(np.diag(confusion) / np.maximum(1, totals), np.float64)


def score(labels: NDArray[np.int64], probabilities: NDArray[np.float32]) -> Score:
    """Compare (n,) labels with (n, 7) probabilities; faces without a label are left out."""
    known = labels != UNKNOWN
    labels, probabilities = labels[known], probabilities[known]
    answers = probabilities.argmax(axis=1)
    confusion = np.zeros((len(LABELS), len(LABELS)), np.int64)
    np.add.at(confusion, (labels, answers), 1)
    return Score(confusion, calibration_error(answers == labels, probabilities.max(axis=1)))


def calibration_error(right: NDArray[np.bool_], confidence: NDArray[np.float32]) -> float:
    """How far confidence is from the part that is right, over 15 bins (Guo et al. 2017, arXiv 1706.04599)."""
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    gaps = np.bincount(bins, right.astype(float) - confidence, CALIBRATION_BINS)
    return float(np.abs(gaps).sum() / max(1, len(right)))


def runtime_of(model: Path) -> Runtime:
    """What runs this file."""
    return "litert" if model.suffix == ".tflite" else "keras"


def report(result: Score) -> str:
    """A table for people."""
    lines = [
        f"{result.confusion.sum()} faces: accuracy {result.accuracy:.2%}, balanced "
        f"{result.balanced_accuracy:.2%}, macro F1 {result.f1.mean():.2%}, "
        f"calibration error {result.calibration_error:.3f}",
        f"{'':>9} precision  recall      F1",
    ]
    rows = zip(LABELS, result.precision, result.recall, result.f1, strict=True)
    return "\n".join(lines + [f"{name:>9} {p:>9.1%} {r:>7.1%} {f:>7.1%}" for name, p, r, f in rows])


def main() -> None:
    """Evaluate from the command line."""
    parser = argparse.ArgumentParser(description="Measure a model on a split of FER2013.")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--sheets", type=Path, default=DEFAULT_DATA, help="folder of sheets")
    source.add_argument("--fer2013", type=Path, help="Kaggle's fer2013.csv, fer2013new.csv beside it")
    parser.add_argument("--split", default="validation", help="train, validation or test (PrivateTest)")
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL, help=".tflite or .keras")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    arguments = parser.parse_args()
    faces = read_aligned(arguments.fer2013 or arguments.sheets, arguments.split)
    classifier = load_classifier(runtime_of(arguments.model), arguments.model)
    result = score(faces.labels, classifier.probabilities(faces.images))
    print(report(result))
    if arguments.json:
        arguments.json.write_text(json.dumps(result.as_dict(), indent=2) + "\n")


if __name__ == "__main__":
    main()
