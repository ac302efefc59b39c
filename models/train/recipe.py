"""The runs that made the files of `models/`, one after another: `python -m models.train.recipe`.

Each begins where others ended and learns from their answers; a run that was stopped goes on, a finished one
is left as it is. On two cores all take some six hours with PyTorch (`KERAS_BACKEND=torch`).
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import cv2
import keras

from models.train.faces import DEFAULT_DATA, read_aligned
from models.train.fit import fit
from models.train.runs import best_score
from models.train.settings import Settings

RUNS = Path("build/runs")
PLAIN, TAUGHT, DEEPER, LAST = RUNS / "plain40", RUNS / "taught30", RUNS / "deeper36", RUNS / "tuned8"

_PLAIN = Settings(fault_rate=0.08, cover_rate=0.3, mix_rate=0.0)

_TAUGHT = Settings(
    start=(str(PLAIN),),
    teachers=(str(PLAIN),),
    taught=0.4,
    epochs=30,
    peak_rate=0.06,
    warmup_epochs=0.7,
    seed=2,
)

_DEEPER = Settings(
    blocks=(*Settings().blocks, (192, 1)),
    start=(str(PLAIN), str(TAUGHT)),
    teachers=(str(PLAIN), str(TAUGHT)),
    taught=0.65,
    taught_by_votes=0.5,
    epochs=36,
    peak_rate=0.05,
    warmup_epochs=0.5,
    average_momentum=0.999,
    label_smoothing=0.05,
    votes_weight=0.7,
    turn_degrees=12.0,
    scale=0.12,
    shift=0.06,
    fault_rate=0.09,
    cover_rate=0.3,
    mix_rate=0.05,
    seed=4,
)

_LAST = replace(
    _DEEPER,
    start=(str(DEEPER),),
    teachers=(str(PLAIN), str(TAUGHT), str(DEEPER)),
    epochs=8,
    peak_rate=0.012,
    warmup_epochs=0.25,
    turn_degrees=8.0,
    scale=0.08,
    shift=0.04,
    fault_rate=0.07,
    cover_rate=0.2,
    mix_rate=0.0,
    seed=5,
)

RECIPE = {PLAIN: _PLAIN, TAUGHT: _TAUGHT, DEEPER: _DEEPER, LAST: _LAST}
"""The settings of each run's folder, in their order."""


def main() -> None:
    """Train from the command line."""
    parser = argparse.ArgumentParser(description="Train the network that ships, or go on with it.")
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, help="folder of sheets, or fer2013.csv")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    train, validation = (read_aligned(arguments.data, split) for split in ("train", "validation"))
    for run, settings in RECIPE.items():
        fit(train, validation, settings, run)
        keras.utils.clear_session()
        print(f"best validation accuracy {best_score(run):.4f} in {run}")


if __name__ == "__main__":
    main()
