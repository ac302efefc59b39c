"""Trains the served network from the teachers' bank: `python -m models.train.recipe`.

`make teachers` and `make bank` come before. A run that was stopped resumes; a finished one is left as it is.
`--final` repeats the run with the validation faces among those it learns from; the model card then gives the
scores of the run before. Its bank is made with `--final` too.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2

from models.train.bank import read_bank
from models.train.faces import DEFAULT_DATA, read_aligned, read_training_faces
from models.train.runs import best_score
from models.train.student.fit import fit
from models.train.student.settings import FINAL, LAST, STUDENT
from models.train.teachers.paths import DEFAULT_BANK, DEFAULT_UNLABELLED


def main() -> None:
    """Train from the command line."""
    parser = argparse.ArgumentParser(description="Train the network that ships, or resume.")
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, help="folder of sheets, or fer2013.csv")
    parser.add_argument("--unlabelled", type=Path, default=DEFAULT_UNLABELLED, help="as `make bank` had it")
    parser.add_argument("--bank", type=Path, default=DEFAULT_BANK)
    parser.add_argument("--final", action="store_true", help="learn from validation too, with a bank made so")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    bank = read_bank(arguments.bank)
    unlabelled = arguments.unlabelled if arguments.unlabelled.is_dir() else None
    train = read_training_faces(arguments.data, unlabelled, arguments.final)
    if arguments.final:
        fit(train, None, STUDENT, FINAL, bank)
        print(f"trained on validation too, so without a score: {FINAL}")
    else:
        fit(train, read_aligned(arguments.data, "validation"), STUDENT, LAST, bank)
        print(f"best validation accuracy {best_score(LAST):.4f} in {LAST}")


if __name__ == "__main__":
    main()
