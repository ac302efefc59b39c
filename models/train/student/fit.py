"""Trains the student in PyTorch; `models.train.recipe` says from what.

A run's folder is that of `models.train.fit`, with `checkpoint.pt` to resume from after a stop.
"""

from __future__ import annotations

import csv
import math
import time
from pathlib import Path

import keras
import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import trange

from models.train.answers import logits
from models.train.bank import Bank
from models.train.batches import Batches
from models.train.data import UNKNOWN, FaceSet
from models.train.initialization import initialize_from
from models.train.network import build_trained
from models.train.pytorch import Training
from models.train.recognition import read_recognition
from models.train.runs import BEST_WEIGHTS, NO_SCORE, SCORE, best_score, start_run
from models.train.settings import RECOGNITION, Settings
from models.train.student.initialization import initialize_from_recognition, initialize_from_teacher
from models.train.student.network import StudentNetwork
from models.train.student.weights import from_keras, to_keras


def fit(
    train: FaceSet, validation: FaceSet | None, settings: Settings, run: Path, bank: Bank | None = None
) -> Path:
    """Train as `models.train.fit` does; the weights it leaves are for Keras too.

    Raises:
        RecognitionError: it was to start from the recognition network, whose files are not there.
        RunError: the run's folder belongs to other settings or teachers.
        BankError: there is no bank to learn from, or it was made of other faces.
    """
    batches = Batches(train, settings, bank)
    start_run(run, settings, bank.teachers if bank is not None else ())
    twin = build_trained(settings)
    training = Training(
        _initialized(settings, twin, train.images),
        settings,
        settings.weight_decay * (1 - settings.momentum),
        run,
    )
    training.resume()
    while training.epoch < settings.epochs:
        started = time.monotonic()
        loss = _train_epoch(training, batches, settings)
        accuracy = None if validation is None else _accuracy(training.average, validation)
        if accuracy is None or accuracy > (best_score(run) or 0):
            to_keras(training.average, twin)
            twin.save_weights(run / BEST_WEIGHTS)
        _log(run, training.epoch, loss, accuracy, time.monotonic() - started)
        training.save()
    return run / BEST_WEIGHTS


def _initialized(settings: Settings, twin: keras.Model, faces: NDArray[np.uint8]) -> StudentNetwork:
    torch.manual_seed(settings.seed)
    network = StudentNetwork(settings)
    if settings.initialization == RECOGNITION:
        initialize_from_recognition(network, read_recognition(), faces)
    elif settings.initialization and settings.initialization[0].endswith(".npz"):
        initialize_from_teacher(network, Path(settings.initialization[0]), faces)
    elif settings.initialization:
        initialize_from(twin, [Path(folder) for folder in settings.initialization])
        from_keras(network, twin)
    return network


def _train_epoch(training: Training, batches: Batches, settings: Settings) -> float:
    """One epoch; returns its mean loss."""
    training.start_epoch()
    batches.start_epoch(training.epoch)
    losses = []
    for index in trange(
        len(batches), desc=f"{training.run.name}, epoch {training.epoch + 1}", mininterval=30
    ):
        faces, wanted = batches[index]
        rate = _learning_rate(settings, training.epoch + (index + 0.5) / len(batches))
        losses.append(training.step(np.ascontiguousarray(faces.transpose(0, 3, 1, 2)), wanted, rate))
    training.epoch += 1
    return float(np.mean(losses))


def _learning_rate(settings: Settings, epoch: float) -> float:
    """Up in a straight line, then down in a cosine to 0 (arXiv 1608.03983)."""
    if epoch < settings.warmup_epochs:
        return settings.peak_learning_rate * epoch / settings.warmup_epochs
    fraction = (epoch - settings.warmup_epochs) / (settings.epochs - settings.warmup_epochs)
    return settings.peak_learning_rate * 0.5 * (1 + math.cos(math.pi * fraction))


def _accuracy(network: StudentNetwork, faces: FaceSet) -> float:
    known = faces.take(faces.labels != UNKNOWN)
    return float((logits(network, known.images)["label"].argmax(axis=1) == known.labels).mean())


def _log(run: Path, epoch: int, loss: float, accuracy: float | None, seconds: float) -> None:
    path = run / "history.csv"
    new = not path.is_file()
    row = {"epoch": epoch, "loss": loss, SCORE: NO_SCORE if accuracy is None else accuracy, "s": seconds}
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, row)
        if new:
            writer.writeheader()
        writer.writerow(row)
