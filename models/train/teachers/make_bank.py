"""Asks the teachers for the bank: `python -m models.train.teachers.make_bank`.

Each number of view is kept as a part when it is done, so that a stop loses one part at most.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from tqdm import tqdm

from models.train.answers import logits
from models.train.bank import HEADS, Bank, fingerprint
from models.train.faces import DEFAULT_DATA, read_training_faces
from models.train.targets import Targets
from models.train.teachers.paths import DEFAULT_BANK, DEFAULT_UNLABELLED, MODELS, snapshot_paths
from models.train.teachers.shipped import load_shipped
from models.train.teachers.snapshots import Teacher, load_teacher
from models.train.views import View, random_view, render

CHUNK = 1024
SMALLEST_PROBABILITY = 1e-6


@dataclass(frozen=True, slots=True)
class BankViews:
    """How many views of each face a bank holds, and their limits (see `views.Geometry`)."""

    count: int = 8
    rotation_degrees: float = 15.0
    scale: float = 0.15
    shift: float = 0.08
    seed: int = 1


def make_bank(images: NDArray[np.uint8], teachers: Sequence[Teacher], limits: BankViews, parts: Path) -> Bank:
    """Ask the teachers about `limits.count` views of each of (n, 48, 48) faces.

    Args:
        images: aligned grey faces.
        teachers: whose mean probability is the answer.
        limits: of the views.
        parts: a folder for what is done already; parts of other faces, teachers or limits are left alone.
    """
    names = tuple(teacher.name for teacher in teachers)
    key = hashlib.sha256(repr((fingerprint(images), names, limits)).encode()).hexdigest()[:16]
    done = [
        _part(images, teachers, limits, number, parts / f"{key}-{number}.npz")
        for number in range(limits.count)
    ]
    views = np.stack([part["views"] for part in done], axis=1)
    answers = {head: np.stack([part[head] for part in done], axis=1).astype(np.float16) for head in HEADS}
    return Bank(views.astype(np.float32), answers, fingerprint(images), names)


def _part(
    images: NDArray[np.uint8], teachers: Sequence[Teacher], limits: BankViews, number: int, path: Path
) -> dict[str, NDArray[np.floating]]:
    """One view of every face, from its file if that is there."""
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        random = np.random.default_rng((limits.seed, number))
        views = [random_view(limits, random) for _ in images]
        partial = path.with_suffix(".partial.npz")
        arrays: dict[str, Any] = {"views": np.stack([view.as_row() for view in views])}
        kept_views = [View.from_row(row) for row in arrays["views"]]
        arrays |= mean_log_probabilities(teachers, images, kept_views)
        np.savez(partial, **arrays)
        partial.replace(path)
    with np.load(path) as kept:
        return {name: kept[name] for name in ("views", *HEADS)}


def mean_log_probabilities(
    teachers: Sequence[Teacher], images: NDArray[np.uint8], views: Sequence[View]
) -> Targets:
    """The logarithm of the teachers' mean probability for one view of each face: (n, 7) and (n, 8).

    Each teacher answers for the view and its mirror image.
    """
    chunks = [
        _mean_of_chunk(teachers, images[start : start + CHUNK], views[start : start + CHUNK])
        for start in tqdm(range(0, len(images), CHUNK), desc="asking teachers", mininterval=30)
    ]
    return {head: np.concatenate([chunk[head] for chunk in chunks]) for head in HEADS}


def _mean_of_chunk(teachers: Sequence[Teacher], images: NDArray[np.uint8], views: Sequence[View]) -> Targets:
    rendered: dict[int, NDArray[np.uint8]] = {}
    for side in {teacher.side for teacher in teachers}:
        rendered[side] = np.stack([render(*pair, side) for pair in zip(images, views, strict=True)])
    answers = [
        logits(teacher.network, faces)
        for teacher in teachers
        for faces in (rendered[teacher.side], rendered[teacher.side][:, :, ::-1])
    ]
    return {head: _log_mean([answer[head] for answer in answers]) for head in HEADS}


def _log_mean(rows: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    mean = np.mean([softmax(of_one, axis=1) for of_one in rows], axis=0)
    logs: NDArray[np.float32] = np.log(np.maximum(mean, SMALLEST_PROBABILITY)).astype(np.float32)
    return logs


def main() -> None:
    """Make the bank from the command line."""
    parser = argparse.ArgumentParser(description="Ask the teachers about views of every training face.")
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, help="folder of sheets, or fer2013.csv")
    parser.add_argument(
        "--unlabelled", type=Path, default=DEFAULT_UNLABELLED, help="left out where it is missing"
    )
    parser.add_argument("--bank", type=Path, default=DEFAULT_BANK, help="file to write")
    parser.add_argument(
        "--snapshots", type=Path, nargs="+", help="of the teachers; all that there are if left out"
    )
    parser.add_argument(
        "--final", action="store_true", help="of the validation faces too, for a final training"
    )
    parser.add_argument("--views", type=int, default=BankViews().count)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    teachers = [load_teacher(path) for path in arguments.snapshots or snapshot_paths()]
    teachers.append(load_shipped(MODELS))
    unlabelled = arguments.unlabelled if arguments.unlabelled.is_dir() else None
    faces = read_training_faces(arguments.data, unlabelled, arguments.final)
    make_bank(faces.images, teachers, BankViews(arguments.views), arguments.bank.parent / "parts").save(
        arguments.bank
    )
    print(f"{len(faces)} faces, {arguments.views} views each, {len(teachers)} teachers: {arguments.bank}")


if __name__ == "__main__":
    main()
