"""Trains teachers: `python -m models.train.teachers.fit --data FOLDER --runs build/teachers`.

A run's folder, named as its teacher, holds `run.json` (settings and code version), `history.csv`,
`checkpoint.pt`, from which the same command resumes after a stop, and NAME-1.npz and so on with the averaged
weights at each cycle's end. Where there is no checkpoint, training starts from the newest snapshot that
`models/teachers` has of the teacher: a cycle starts with a learning rate of 0, so that nothing but the
momentum is lost.
"""

from __future__ import annotations

import argparse
import csv
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from tqdm import tqdm

from models.train.answers import logits
from models.train.data import UNKNOWN, FaceSet
from models.train.faces import DEFAULT_DATA, read_aligned
from models.train.pytorch import Training
from models.train.recognition import read_recognition
from models.train.runs import RunError, commit, start_run
from models.train.student.initialization import initialize_from_recognition
from models.train.targets import voted_targets
from models.train.teachers.batches import TeacherBatches
from models.train.teachers.network import PooledTeacher, build_teacher
from models.train.teachers.paths import KEPT, RUNS
from models.train.teachers.recipe import TEACHERS
from models.train.teachers.schedule import finished_cycles, is_varied, learning_rate, side_at
from models.train.teachers.settings import TeacherSettings
from models.train.teachers.snapshots import Snapshot, cycle_of, load_weights, read_snapshot, save_snapshot
from models.train.views import UPRIGHT, render


class TeacherTraining(Training):
    """A teacher in training, which may go on from a snapshot of an earlier cycle."""

    def __init__(self, settings: TeacherSettings, run: Path) -> None:
        torch.manual_seed(settings.seed)
        super().__init__(build_teacher(settings), settings, settings.weight_decay, run)
        self._teacher = settings

    def begin(self, snapshots: Path, faces: NDArray[np.uint8]) -> None:
        """Continue from the last checkpoint, or else from the newest snapshot of this teacher in a folder.

        Where there is none, a teacher with a pooled stem is initialized from the recognition network; these
        faces set its normalisations.

        Raises:
            RunError: the snapshot is of other settings; more cycles after those that it had are no others.
            RecognitionError: the recognition network is needed and its files are not there.
        """
        found = list(snapshots.glob(f"{self.run.name}-*.npz"))
        if self.resume():
            return
        if found:
            self._start_from(max(found, key=cycle_of))
        elif isinstance(self.network, PooledTeacher):
            initialize_from_recognition(self.network, read_recognition(), faces)
            self.average.load_state_dict(self.network.state_dict())

    def _start_from(self, path: Path) -> None:
        snapshot, weights = read_snapshot(path)
        alike = replace(snapshot.settings, cycles=self._teacher.cycles) == self._teacher
        if not (alike and finished_cycles(self._teacher, snapshot.epochs)):
            raise RunError(
                f"{path} was made with other settings than {self.run} has; move it away to start anew."
            )
        load_weights(self.network, weights)
        load_weights(self.average, weights)
        self.epoch = snapshot.epochs

    def train_epoch(self, batches: TeacherBatches) -> float:
        """One epoch; returns its mean loss."""
        self.start_epoch()
        settings = self._teacher
        side, varied = side_at(settings, self.epoch), is_varied(settings, self.epoch)
        losses = []
        order = tqdm(
            batches.order(self.epoch), desc=f"{self.run.name}, epoch {self.epoch + 1}", mininterval=30
        )
        for index, chosen in enumerate(order):
            random = np.random.default_rng((settings.seed, self.epoch, index))
            faces, wanted = batches.batch(chosen, side, varied, random)
            rate = learning_rate(settings, self.epoch + (index + 0.5) / len(batches))
            losses.append(self.step(faces, wanted, rate))
        self.epoch += 1
        return float(np.mean(losses))


def fit(
    train: FaceSet, validation: FaceSet, settings: TeacherSettings, run: Path, snapshots: Path = KEPT
) -> None:
    """Train on aligned faces, from the start or from where a stop left the run.

    Args:
        train: the faces to learn from.
        validation: the faces whose accuracy is logged; nothing is chosen by them.
        settings: of the teacher.
        run: the folder of the run, named as the teacher.
        snapshots: a folder of earlier snapshots.

    Raises:
        RunError: the run's folder or the snapshot belongs to other settings.
    """
    start_run(run, settings)
    training = TeacherTraining(settings, run)
    training.begin(snapshots, train.images)
    wanted = voted_targets(train, settings.label_smoothing, settings.votes_fraction)
    batches = TeacherBatches(train.images, wanted, settings)
    known = validation.take(validation.labels != UNKNOWN)
    while training.epoch < settings.epochs:
        started = time.monotonic()
        loss = training.train_epoch(batches)
        accuracy = _accuracy(training.average, known, settings.side)
        if number := finished_cycles(settings, training.epoch):
            snapshot = Snapshot(settings, training.epoch, accuracy, commit())
            save_snapshot(run / f"{run.name}-{number}.npz", training.average.state_dict(), snapshot)
        _log(
            run,
            {"epoch": training.epoch, "loss": loss, "accuracy": accuracy, "s": time.monotonic() - started},
        )
        training.save()


def _accuracy(network: nn.Module, faces: FaceSet, side: int) -> float:
    images = np.stack([render(image, UPRIGHT, side) for image in faces.images])
    return float((logits(network, images)["label"].argmax(axis=1) == faces.labels).mean())


def _log(run: Path, row: dict[str, Any]) -> None:
    path = run / "history.csv"
    new = not path.is_file()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, row)
        if new:
            writer.writeheader()
        writer.writerow(row)


def main() -> None:
    """Train from the command line."""
    parser = argparse.ArgumentParser(description="Train the teachers, or resume.")
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, help="folder of sheets, or fer2013.csv")
    parser.add_argument("--runs", type=Path, default=RUNS, help="holds a folder for each teacher")
    parser.add_argument("--teachers", nargs="+", choices=TEACHERS, default=list(TEACHERS))
    parser.add_argument("--threads", type=int, help="how many PyTorch uses; one a core if left out")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    train, validation = (read_aligned(arguments.data, split) for split in ("train", "validation"))
    for name in arguments.teachers:
        fit(train, validation, TEACHERS[name], arguments.runs / name)


if __name__ == "__main__":
    main()
