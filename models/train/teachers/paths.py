"""Where teachers, their snapshots and their bank are kept."""

from __future__ import annotations

from pathlib import Path

RUNS = Path("build/teachers")
MODELS = Path(__file__).resolve().parents[2]
KEPT = MODELS / "teachers"
"""Snapshots that are part of the project: `models/teachers`."""

DEFAULT_BANK = Path("build/bank/bank.npz")
DEFAULT_UNLABELLED = Path("../shared/data/faces-unlabelled")


def snapshot_paths(runs: Path = RUNS, kept: Path = KEPT) -> list[Path]:
    """All snapshots of all teachers; where a file is in both folders, the one of the runs."""
    found = {path.name: path for path in sorted(kept.glob("*.npz"))}
    found |= {path.name: path for path in sorted(runs.glob("*/*.npz"))}
    return sorted(found.values(), key=lambda path: path.name)
