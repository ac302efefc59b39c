"""The shipped network as a teacher of its successor (Furlanello et al. 2018, arXiv 1805.04770)."""

from __future__ import annotations

import hashlib
from pathlib import Path

from models.train.data import FACE_SIDE
from models.train.initialization import MODEL_FILE, initialize_from
from models.train.network import build_trained
from models.train.student.network import StudentNetwork
from models.train.student.settings import STUDENT
from models.train.student.weights import from_keras
from models.train.teachers.snapshots import Teacher


def load_shipped(folder: Path) -> Teacher:
    """The network of the model files in a folder, named by their digest.

    Raises:
        RunError: the files are of another network than the student's.
    """
    twin, network = build_trained(STUDENT), StudentNetwork(STUDENT)
    initialize_from(twin, [folder])
    from_keras(network, twin)
    digest = hashlib.sha256((folder / MODEL_FILE).read_bytes()).hexdigest()
    return Teacher(f"shipped-{digest[:8]}", network.eval(), FACE_SIDE)
