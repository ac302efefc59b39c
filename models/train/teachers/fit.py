"""Trains teachers: `python -m models.train.teachers.fit --data FOLDER --runs build/teachers`.

A run's folder, named as its teacher, holds `run.json` (settings and code version), `history.csv`,
`checkpoint.pt`, from which the same command resumes after a stop, and NAME-1.npz and so on with the averaged
weights at each cycle's end. Where there is no checkpoint, training starts from the newest snapshot that
`models/teachers` has of the teacher: a cycle starts with a learning rate of 0, so that nothing but the
momentum is lost.
"""

from __future__ import annotations

import argparse
import copy
import csv
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from models.train.data import UNKNOWN, FaceSet
from models.train.faces import DEFAULT_DATA, read_aligned
from models.train.runs import RunError, commit, start_run
from models.train.targets import voted_targets
from models.train.teachers.answers import logits
from models.train.teachers.batches import TeacherBatches
from models.train.teachers.network import TeacherNetwork
from models.train.teachers.paths import KEPT, RUNS
from models.train.teachers.recipe import TEACHERS
from models.train.teachers.schedule import finished_cycles, is_varied, learning_rate, side_at
from models.train.teachers.settings import TeacherSettings
from models.train.teachers.snapshots import Snapshot, cycle_of, load_weights, read_snapshot, save_snapshot
from models.train.views import UPRIGHT, render

CHECKPOINT = "checkpoint.pt"


class Training:
    """A teacher in training: its network, the moving average of its weights, and its optimizer."""

    def __init__(self, settings: TeacherSettings, run: Path) -> None:
        self._settings, self._run = settings, run
        torch.manual_seed(settings.seed)
        self.network = TeacherNetwork(settings).to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.network).eval()
        self._optimizer = _optimizer(self.network, settings)
        self.epoch = 0

    def resume(self, snapshots: Path) -> None:
        """Continue from the last checkpoint, or else from the newest snapshot of this teacher in a folder.

        Raises:
            RunError: the snapshot is of other settings; more cycles after those that it had are no others.
        """
        path = self._run / CHECKPOINT
        if path.is_file():
            state = torch.load(path, weights_only=True)
            self.network.load_state_dict(state["network"])
            self.average.load_state_dict(state["average"])
            self._optimizer.load_state_dict(state["optimizer"])
            self.epoch = state["epoch"]
        elif found := list(snapshots.glob(f"{self._run.name}-*.npz")):
            self._start_from(max(found, key=cycle_of))

    def _start_from(self, path: Path) -> None:
        snapshot, weights = read_snapshot(path)
        alike = replace(snapshot.settings, cycles=self._settings.cycles) == self._settings
        if not (alike and finished_cycles(self._settings, snapshot.epochs)):
            raise RunError(
                f"{path} was made with other settings than {self._run} has; move it away to start anew."
            )
        load_weights(self.network, weights)
        load_weights(self.average, weights)
        self.epoch = snapshot.epochs

    def save(self) -> None:
        """Write the checkpoint; a stop while it is written leaves the one before."""
        partial = self._run / f"{CHECKPOINT}.partial"
        state = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "epoch": self.epoch,
        }
        torch.save(state, partial)
        partial.replace(self._run / CHECKPOINT)

    def train_epoch(self, batches: TeacherBatches) -> float:
        """One epoch; returns its mean loss."""
        torch.manual_seed(self._settings.seed * 1000 + self.epoch)  # dropout, the same after a stop
        side, varied = side_at(self._settings, self.epoch), is_varied(self._settings, self.epoch)
        losses = []
        order = tqdm(
            batches.order(self.epoch), desc=f"{self._run.name}, epoch {self.epoch + 1}", mininterval=30
        )
        for index, chosen in enumerate(order):
            random = np.random.default_rng((self._settings.seed, self.epoch, index))
            faces, wanted = batches.batch(chosen, side, varied, random)
            rate = learning_rate(self._settings, self.epoch + (index + 0.5) / len(batches))
            losses.append(self._step(faces, wanted, rate))
        self.epoch += 1
        return float(np.mean(losses))

    def _step(self, faces: NDArray[np.float32], wanted: dict[str, NDArray[np.float32]], rate: float) -> float:
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16):
            label, votes = self.network.train()(torch.from_numpy(faces))
        loss = _cross_entropy(label, wanted["label"])
        loss = loss + self._settings.votes_weight * _cross_entropy(votes, wanted["votes"])
        loss.backward()
        self._optimizer.step()
        self._update_average()
        return float(loss.detach())

    def _update_average(self) -> None:
        with torch.no_grad():
            pairs = zip(self.average.state_dict().values(), self.network.state_dict().values(), strict=True)
            for mean, now in pairs:
                if mean.is_floating_point():
                    mean.lerp_(now, 1 - self._settings.ema_momentum)


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
    training = Training(settings, run)
    training.resume(snapshots)
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


def _accuracy(network: TeacherNetwork, faces: FaceSet, side: int) -> float:
    images = np.stack([render(image, UPRIGHT, side) for image in faces.images])
    return float((logits(network, images)["label"].argmax(axis=1) == faces.labels).mean())


def _optimizer(network: nn.Module, settings: TeacherSettings) -> torch.optim.SGD:
    """Weight decay for the kernels alone, not for what normalises or shifts."""
    kernels = [weights for weights in network.parameters() if weights.ndim > 1]
    others = [weights for weights in network.parameters() if weights.ndim <= 1]
    groups = [
        {"params": kernels, "weight_decay": settings.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.SGD(
        groups, settings.peak_learning_rate, settings.momentum, nesterov=True, foreach=True
    )


def _cross_entropy(logits: Tensor, wanted: NDArray[np.float32]) -> Tensor:
    """The mean over all faces; rows of zeros ask for nothing."""
    return -(torch.from_numpy(wanted) * torch.log_softmax(logits.float(), dim=1)).sum(dim=1).mean()


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
