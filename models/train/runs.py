"""The folder of a run: `run.json` with its settings and code version, `best.weights.h5`, `history.csv`."""

from __future__ import annotations

import csv
import json
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from models.train.settings import Settings

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

DEFAULT_RUN = Path("build/runs/expression")
BEST_WEIGHTS = "best.weights.h5"
SCORE, NO_SCORE = "val_label_accuracy", "NA"


class RunError(RuntimeError):
    """A run's folder cannot be gone on with."""


def best_score(run: Path) -> float | None:
    """The best validation accuracy so far, 0 to 1; None before the first epoch and without validation."""
    history = run / "history.csv"
    if not history.is_file():
        return None
    with history.open(newline="") as file:
        scores = [row.get(SCORE, NO_SCORE) for row in csv.DictReader(file)]
    return max((float(score) for score in scores if score != NO_SCORE), default=None)


def read_settings(run: Path) -> Settings:
    """The settings of a run."""
    return Settings.from_dict(json.loads((run / "run.json").read_text())["settings"])


def start_run(run: Path, settings: DataclassInstance, teachers: Sequence[str] = ()) -> None:
    """Write what this run is, or see that it is the one in the folder.

    `teachers` are the names of those that it learns from.

    Raises:
        RunError: the folder belongs to a run with other settings or teachers.
    """
    file = run / "run.json"
    values = json.loads(json.dumps({"settings": asdict(settings), "teachers": teachers}))
    if file.is_file():
        found = json.loads(file.read_text())
        for name, value in values.items():
            if found.get(name, []) != value:
                raise RunError(f"{run} was started with other {name} ({file}); move it away to start anew.")
        return
    run.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({**values, "commit": commit()}, indent=2) + "\n")


def commit() -> str:
    """The version of the code, or "unknown" outside a Git checkout."""
    result = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return result.stdout.strip() or "unknown"
