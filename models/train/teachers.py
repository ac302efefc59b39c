"""What networks trained before say of faces (distillation: Hinton et al. 2015, arXiv 1503.02531)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from tqdm import tqdm

from models.train.batches import Targets, as_input
from models.train.data import FaceSet
from models.train.network import build_trained
from models.train.runs import BEST_WEIGHTS, read_settings

BATCH = 512


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
