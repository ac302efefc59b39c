"""Programs that are missing: root installs them, others are told how."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from webapp.cli.cluster import programs
from webapp.cli.cluster.programs import ensure_programs
from webapp.errors import ClusterError

PROGRAMS = ("nginx", "redis-server", "postgres", "setpriv")

APT = """#!/bin/sh
echo "$@" >> "{folder}/asked"
case "$*" in *install*) for name in {brings}; do cp "$0" "{folder}/$name"; done ;; esac
"""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder with programs, with all of them but nginx and Redis."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/bin")
    found = {name: tmp_path / name for name in PROGRAMS}
    monkeypatch.setattr(programs, "find_program", lambda name: found[name] if found[name].exists() else None)
    for name in ("postgres", "setpriv"):
        (tmp_path / name).touch(0o755)
    return tmp_path


def add_apt(folder: Path, brings: str) -> None:
    (folder / "apt-get").write_text(APT.format(folder=folder, brings=brings))
    (folder / "apt-get").chmod(0o755)


def test_root_installs_what_is_missing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    add_apt(path, brings="nginx redis-server")
    said: list[str] = []
    assert ensure_programs(said.append).nginx == path / "nginx"
    assert (
        (path / "asked").read_text().splitlines()[-1].endswith("--no-install-recommends nginx redis-server")
    )
    assert any("install" in line for line in said)


def test_others_are_told_what_to_install(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    add_apt(path, brings="nginx redis-server")
    with pytest.raises(ClusterError, match=r"nginx, redis-server.*\n.*apt-get install nginx redis-server$"):
        ensure_programs(print)
    assert not (path / "asked").exists()


def test_an_installation_that_fails_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    add_apt(path, brings="redis-server")
    with pytest.raises(ClusterError, match="nginx cannot be found"):
        ensure_programs(print)
