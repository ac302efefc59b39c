"""The weights of a teacher at the end of a cycle: float16 arrays, and a JSON file that says what they are."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from models.train.teachers.network import build_teacher
from models.train.teachers.settings import TeacherSettings


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a snapshot's JSON says; `accuracy` is on validation, one upright view."""

    settings: TeacherSettings
    epochs: int
    accuracy: float
    commit: str


@dataclass(frozen=True, slots=True)
class Teacher:
    """A network that is ready to answer for faces of `side` pixels; `name` says which weights it has."""

    name: str
    network: nn.Module
    side: int


def save_snapshot(path: Path, weights: Mapping[str, Tensor], snapshot: Snapshot) -> None:
    """Write `path` (.npz, float16) and the JSON beside it."""
    arrays: dict[str, Any] = {
        name: tensor.detach().float().numpy().astype(np.float16)
        for name, tensor in weights.items()
        if tensor.is_floating_point()
    }
    np.savez(path, **arrays)
    path.with_suffix(".json").write_text(json.dumps(asdict(snapshot), indent=2) + "\n")


def read_snapshot(path: Path) -> tuple[Snapshot, dict[str, Tensor]]:
    """What the JSON beside `path` says, and the weights in float32."""
    values: dict[str, Any] = json.loads(path.with_suffix(".json").read_text())
    with np.load(path) as kept:
        weights = {name: torch.from_numpy(kept[name].astype(np.float32)) for name in kept.files}
    return Snapshot(**{**values, "settings": TeacherSettings.from_dict(values["settings"])}), weights


def cycle_of(path: Path) -> int:
    """Which of its teacher's cycles a snapshot ended: 2 for deep-2.npz."""
    return int(path.stem.rpartition("-")[2])


def load_weights(network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Give a network the weights of a snapshot; the counters that it does not hold stay."""
    network.load_state_dict({**network.state_dict(), **weights})


def load_teacher(path: Path) -> Teacher:
    """The teacher of a snapshot; its name has a digest of the file, so that a bank tells it from others."""
    snapshot, weights = read_snapshot(path)
    network = build_teacher(snapshot.settings)
    load_weights(network, weights)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    return Teacher(f"{path.stem}-{digest}", network.eval(), snapshot.settings.side)
