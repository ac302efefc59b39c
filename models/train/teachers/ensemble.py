"""Measures teachers alone and together: `python -m models.train.teachers.ensemble`.

Each answers for the upright face and its mirror image; the mean of their probabilities is scored on
validation.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from models.train.answers import logits
from models.train.data import VOTED_EXPRESSIONS, FaceSet, read_split
from models.train.duplicates import near_duplicates
from models.train.faces import DEFAULT_DATA, read_aligned
from models.train.scores import agreement, fer_plus_majority, score
from models.train.targets import Targets
from models.train.teachers.paths import MODELS, snapshot_paths
from models.train.teachers.shipped import load_shipped
from models.train.teachers.snapshots import Teacher, load_teacher
from models.train.views import MIRRORED, UPRIGHT, render


def mirrored_mean(teacher: Teacher, images: NDArray[np.uint8]) -> Targets:
    """A teacher's probabilities, the mean over each of (n, 48, 48) faces and its mirror image."""
    answers = []
    for view in (UPRIGHT, MIRRORED):
        rendered = np.stack([render(image, view, teacher.side) for image in images])
        answers.append(logits(teacher.network, rendered))
    return {
        head: np.mean([softmax(answer[head], axis=1) for answer in answers], axis=0) for head in answers[0]
    }


def mean_of(answers: Sequence[Targets]) -> Targets:
    """The mean of several teachers' probabilities."""
    return {head: np.mean([answer[head] for answer in answers], axis=0) for head in answers[0]}


def summary(name: str, faces: FaceSet, answer: Targets) -> str:
    """One line: accuracy, macro recall, and agreement with the majority of FER+."""
    figures = score(faces.labels, answer["label"])
    assert answer["votes"].shape[1] == len(VOTED_EXPRESSIONS)
    votes = agreement(fer_plus_majority(faces.votes), answer["votes"].argmax(axis=1))
    return (
        f"{name:<24} accuracy {figures.accuracy:.2%}  macro recall {figures.balanced_accuracy:.2%}  "
        f"FER+ {votes:.2%}  calibration error {figures.calibration_error:.3f}"
    )


def main() -> None:
    """Measure from the command line."""
    parser = argparse.ArgumentParser(description="Score teachers on validation, alone and together.")
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, help="folder of sheets, or fer2013.csv")
    parser.add_argument("--snapshots", type=Path, nargs="+", help="all that there are if left out")
    arguments = parser.parse_args()
    faces = read_aligned(arguments.data, "validation")
    teachers = [load_teacher(path) for path in arguments.snapshots or snapshot_paths()]
    teachers.append(load_shipped(MODELS))
    answers = [mirrored_mean(teacher, faces.images) for teacher in teachers]
    for teacher, answer in zip(teachers, answers, strict=True):
        print(summary(teacher.name, faces, answer))
    print(summary("all together", faces, mean_of(answers)))
    originals = (read_split(arguments.data, split).images for split in ("validation", "train"))
    kept = np.flatnonzero(~near_duplicates(*originals))
    together = {head: rows[kept] for head, rows in mean_of(answers).items()}
    print(summary("without near copies", faces.take(kept), together))


if __name__ == "__main__":
    main()
