"""What networks trained before say of faces (distillation: Hinton et al. 2015, arXiv 1503.02531)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from tqdm import tqdm

from models.train.batches import Targets, as_input, label_targets
from models.train.data import FaceSet
from models.train.network import build_trained
from models.train.runs import BEST_WEIGHTS, read_settings
from models.train.settings import Settings

BATCH = 512

DECAY = 1e-5
"""How much the squares of the votes' regression count."""


VOTES_OFFSET = 0.05
"""Added to a share of the votes before its logarithm: half of one vote in ten."""


def taught_targets(faces: FaceSet, settings: Settings) -> Targets:
    """What the teachers of a training say of its faces, and the votes with them.

    The label's answer is a product of experts, teachers^(1 - c/2) * votes^c, normalised: with c =
    `taught_by_votes` = 0.5 it is right for 70.9% of FER2013's validation faces, where two networks alone are
    for 69.5% and the votes alone for 67.4%.
    """
    taught = teach([Path(teacher) for teacher in settings.teachers], faces)
    share = settings.taught_by_votes
    if not share:
        return taught
    logits = (1 - share / 2) * np.log(taught["label"] + 1e-6) + share * np.log(labels_by_votes(faces) + 1e-6)
    return {**taught, "label": softmax(logits, axis=1).astype(np.float32)}


def labels_by_votes(faces: FaceSet) -> NDArray[np.float32]:
    """(n, 7) how often faces with such votes of FER+ bear each label of FER2013: a softmax regression.

    The labels are one person's choice; the votes of ten say what others would have chosen.
    """
    shares = faces.votes / np.maximum(faces.votes.sum(axis=1, keepdims=True), 1)
    inputs = np.hstack([shares, np.log(shares + VOTES_OFFSET), np.ones((len(faces), 1))])
    wanted = label_targets(faces, smoothing=0.0)

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = flat.reshape(inputs.shape[1], -1)
        logs = log_softmax(inputs @ weights, axis=1)
        slope = np.exp(logs) * wanted.sum(axis=1, keepdims=True) - wanted
        change = inputs.T @ slope / len(faces) + 2 * DECAY * weights
        return -(wanted * logs).sum() / len(faces) + DECAY * (weights**2).sum(), change.ravel()

    start = np.zeros(inputs.shape[1] * wanted.shape[1])
    fitted = minimize(loss, start, jac=True, method="L-BFGS-B").x.reshape(inputs.shape[1], -1)
    rows: NDArray[np.float32] = softmax(inputs @ fitted, axis=1).astype(np.float32)
    return rows


def teach(runs: Sequence[Path], faces: FaceSet) -> Targets:
    """The probabilities of each head, the mean over the runs and over each face and its mirror image.

    Returns:
        {"label": (n, 7), "votes": (n, 8)} float32; each row sums to 1.
    """
    answers = [_answers(run, mirrored, faces) for run in runs for mirrored in (False, True)]
    return {head: np.mean([answer[head] for answer in answers], axis=0) for head in answers[0]}


def _answers(run: Path, mirrored: bool, faces: FaceSet) -> Targets:
    model = build_trained(read_settings(run))
    model.load_weights(run / BEST_WEIGHTS)
    images = faces.images[:, :, ::-1] if mirrored else faces.images
    parts = [
        {head: keras.ops.convert_to_numpy(keras.ops.softmax(logits)) for head, logits in part.items()}
        for part in (
            model.predict_on_batch(as_input(images[start : start + BATCH]))
            for start in tqdm(range(0, len(images), BATCH), desc=f"asking {run.name}", unit="batch")
        )
    ]
    return {head: np.concatenate([part[head] for part in parts]) for head in parts[0]}
