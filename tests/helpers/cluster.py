"""`make cluster` for tests: two nodes behind nginx, with PostgreSQL and Redis, in a folder of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.helpers.postgres import find_postgres
from tests.helpers.serving import PROJECT_ROOT, Server
from webapp.cli.cluster.postgres import SYSTEM_FOLDER

START_TIMEOUT_S = 300.0
"""Generous: a database is made, and six processes start, on a machine that may be busy with other tests."""

STOP_TIMEOUT_S = 120.0

SET_UP = (".venv/run.stamp", "static/vendor/page.stamp")
"""What `make cluster` sets up first; tests run in an environment that has it."""


class RunningCluster(Server):
    """`with RunningCluster() as cluster:` runs `make cluster` until the block ends; `url` is nginx's.

    The test is skipped where one of the programs is not installed.
    """

    def __init__(self, **settings: str) -> None:
        for name in ("nginx", "redis-server", "setpriv"):
            if shutil.which(name) is None:
                pytest.skip(f"{name} is not installed")
        if find_postgres() is None:
            pytest.skip("no PostgreSQL is installed")
        super().__init__(**settings)
        self.folder = Path(self.settings["MIEN_DATA_DIR"]) / "cluster"
        self.output = Path(tempfile.mkstemp(prefix="mien-cluster-")[1])

    def start(self) -> None:
        """Start it, and wait until cluster.json says that everything runs."""
        unchanged = [word for stamp in SET_UP for word in ("--old-file", stamp)]
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                ["make", *unchanged, f"PYTHON={sys.executable}", "cluster"],
                cwd=PROJECT_ROOT,
                env=os.environ | self.settings,
                stdout=output,
                stderr=output,
            )
        end_s = time.monotonic() + START_TIMEOUT_S
        while not (self.folder / "cluster.json").exists():
            assert self.process.poll() is None, self.output.read_text()
            assert time.monotonic() < end_s, self.output.read_text()
            time.sleep(0.1)

    def stop(self) -> None:
        """Stop it with SIGTERM, and forget what it kept."""
        self.end()
        data = (self.folder / "postgres").resolve()
        if data.parent == SYSTEM_FOLDER:
            shutil.rmtree(data)
        self.output.unlink()

    def end(self) -> None:
        """SIGTERM, as from systemd; what it kept stays."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(STOP_TIMEOUT_S)

    def state(self) -> dict[str, Any]:
        """What cluster.json says."""
        state: dict[str, Any] = json.loads((self.folder / "cluster.json").read_text())
        return state

    def pids(self) -> list[int]:
        """The processes that cluster.json names."""
        state = self.state()
        return [state["nginx"], state["redis"], state["postgres"], *(node["pid"] for node in state["nodes"])]

    def participants(self) -> list[int]:
        """How many participants are connected to each node, as the nodes themselves say."""
        return [connected(node["port"]) for node in self.state()["nodes"]]

    def log(self, name: str) -> str:
        """What one of its processes has printed."""
        return (self.folder / "log" / f"{name}.log").read_text()


def connected(port: int) -> int:
    """The participants that are connected to the node on a port; none where it does not answer."""
    try:
        metrics = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=30).text
    except requests.RequestException:
        return 0
    lines = [line for line in metrics.splitlines() if line.startswith('mien_participants{state="connected"}')]
    return sum(int(float(line.split()[-1])) for line in lines)


def is_running(pid: int) -> bool:
    """Whether a process lives; one that ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
