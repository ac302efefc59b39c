from __future__ import annotations

from pathlib import Path

from models.train.teachers.paths import snapshot_paths


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_every_snapshot_is_listed_once_and_ones_own_come_first(tmp_path: Path) -> None:
    runs, kept = tmp_path / "runs", tmp_path / "kept"
    own = touch(runs / "deep" / "deep-1.npz")
    touch(kept / "deep-1.npz")
    shipped = touch(kept / "wide-1.npz")
    touch(kept / "wide-1.json")
    assert snapshot_paths(runs, kept) == [own, shipped]
