"""Trains the CNN: `python -m models.train.fit --data FOLDER --run build/runs/NAME`.

A run's folder holds `run.json` (settings and code version), `best.weights.h5` (the averaged weights of the
epoch that validates best), `history.csv`, TensorBoard's logs (where it and TensorFlow are installed) and what
is needed to go on after a stop: the same command starts from the last whole epoch. KERAS_BACKEND chooses
tensorflow, torch or jax.
"""

from __future__ import annotations

import argparse
import math
from importlib.util import find_spec
from pathlib import Path

import cv2
import keras
import numpy as np
from numpy.typing import NDArray
from tqdm.keras import TqdmCallback

from models.train.bank import Bank, read_bank
from models.train.batches import Batches, as_input
from models.train.data import UNKNOWN, FaceSet
from models.train.faces import DEFAULT_DATA, read_aligned, read_training_faces
from models.train.initialization import initialize_from
from models.train.network import build_trained
from models.train.runs import BEST_WEIGHTS, DEFAULT_RUN, SCORE, best_score, start_run
from models.train.settings import Settings, add_settings, chosen_settings
from models.train.targets import Targets, targets


def fit(
    train: FaceSet, validation: FaceSet | None, settings: Settings, run: Path, bank: Bank | None = None
) -> Path:
    """Train on aligned faces, from the start or from where a stop left the run.

    Args:
        train: the faces to learn from.
        validation: the faces that tell the best epoch; None in a final training on these too, whose last
            epoch is kept.
        settings: of the run.
        run: its folder.
        bank: the teachers' answers for `train`; needed where `settings.distillation` is not 0.

    Returns:
        The file with the best weights.

    Raises:
        RunError: the run's folder belongs to other settings.
        BankError: there is no bank to learn from, or it was made of other faces.
    """
    batches = Batches(train, settings, bank)
    start_run(run, settings)
    keras.utils.set_random_seed(settings.seed)
    keras.mixed_precision.set_dtype_policy(settings.precision)
    model = build_trained(settings)
    if settings.initialization:
        initialize_from(model, [Path(folder) for folder in settings.initialization])
    _compile(model, settings, len(batches))
    model.fit(
        batches,
        epochs=settings.epochs,
        validation_data=None if validation is None else _validation_data(validation),
        validation_batch_size=512,
        callbacks=_callbacks(run, batches, choose_best=validation is not None),
        shuffle=False,  # the batches are shuffled already, and alike after a stop
        verbose=0,
    )
    return run / BEST_WEIGHTS


def _validation_data(faces: FaceSet) -> tuple[NDArray[np.float32], Targets]:
    known = faces.take(faces.labels != UNKNOWN)
    return as_input(known.images), targets(known, 0.0)


def _compile(model: keras.Model, settings: Settings, steps: int) -> None:
    optimizer = keras.optimizers.SGD(
        _schedule(settings, steps),
        momentum=settings.momentum,
        nesterov=True,
        weight_decay=settings.weight_decay,
        use_ema=True,
        ema_momentum=settings.ema_momentum,
    )
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    model.compile(
        optimizer,
        loss={head: keras.losses.CategoricalCrossentropy(from_logits=True) for head in ("label", "votes")},
        loss_weights={"label": 1.0, "votes": settings.votes_weight},
        metrics={head: [keras.metrics.CategoricalAccuracy(name="accuracy")] for head in ("label", "votes")},
    )


def _schedule(settings: Settings, steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
    """Up to the peak in a straight line, then down in a cosine (Loshchilov and Hutter, arXiv 1608.03983)."""
    warmup = math.ceil(settings.warmup_epochs * steps)
    return keras.optimizers.schedules.CosineDecay(
        settings.peak_learning_rate / 25,
        max(1, settings.epochs * steps - warmup),
        warmup_target=settings.peak_learning_rate,
        warmup_steps=warmup,
    )


def _callbacks(run: Path, batches: Batches, choose_best: bool) -> list[keras.callbacks.Callback]:
    """In this order: what goes on after a stop is the weights as trained, what is kept their average."""
    can_log = all(map(find_spec, ("tensorflow", "tensorboard")))
    logs = [keras.callbacks.TensorBoard(run / "logs", write_graph=False)] if can_log else []
    return [
        keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: batches.start_epoch(epoch)),
        keras.callbacks.BackupAndRestore(run / "backup", double_checkpoint=True, delete_checkpoint=False),
        keras.callbacks.SwapEMAWeights(swap_on_epoch=True),
        keras.callbacks.ModelCheckpoint(
            run / BEST_WEIGHTS,
            monitor=SCORE,
            mode="max",
            save_best_only=choose_best,
            save_weights_only=True,
            initial_value_threshold=best_score(run),
        ),
        keras.callbacks.CSVLogger(run / "history.csv", append=True),
        TqdmCallback(verbose=1, desc=run.name),
        *logs,
    ]


def main() -> None:
    """Train from the command line."""
    parser = argparse.ArgumentParser(description="Train the expression CNN, or go on with a run.")
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, help="folder of sheets, or fer2013.csv")
    parser.add_argument("--run", type=Path, default=DEFAULT_RUN, help="folder of the run, made if missing")
    parser.add_argument(
        "--unlabelled", type=Path, help="folder of sheets of faces without labels, which the bank knows"
    )
    parser.add_argument("--bank", type=Path, help="teachers' answers, made by `make bank`")
    add_settings(parser)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    train = read_training_faces(arguments.data, arguments.unlabelled)
    validation = read_aligned(arguments.data, "validation")
    bank = read_bank(arguments.bank) if arguments.bank else None
    fit(train, validation, chosen_settings(arguments), arguments.run, bank)
    print(f"best validation accuracy {best_score(arguments.run):.4f} in {arguments.run}")


if __name__ == "__main__":
    main()
