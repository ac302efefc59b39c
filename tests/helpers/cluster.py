"""`make cluster` for tests: two nodes behind nginx, with PostgreSQL and Redis, in a folder of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import pytest
import requests
import socketio.exceptions

from tests.helpers.postgres import find_postgres
from tests.helpers.room_client import TIMEOUT_S, Answer, ParticipantClient
from tests.helpers.serving import PROJECT_ROOT, Server
from webapp.cli.cluster.postgres import SYSTEM_FOLDER

START_TIMEOUT_S = 300.0
"""Generous: a database is made, and six processes start, on a machine that may be busy with other tests."""

STOP_TIMEOUT_S = 120.0

RECONNECT_PAUSE_S, FRAME_INTERVAL_S = 0.2, 0.3

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

    def __enter__(self) -> Self:
        try:
            return super().__enter__()
        except BaseException:
            self.stop()
            raise

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


class ReturningParticipant:
    """Somebody who sends frames to a room from the start of the block to its end, and comes back as pages do.

    `identities` are the participants that the server took them for, one entry for each time they joined.
    """

    def __init__(self, cluster: RunningCluster, code: str, jpeg: bytes) -> None:
        self._cluster, self._code, self._jpeg = cluster, code, jpeg
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._resume: str | None = None
        self.identities: list[str] = []
        self.analysed = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopping.set()
        self._thread.join(TIMEOUT_S)

    def _run(self) -> None:
        while not self._stopping.wait(RECONNECT_PAUSE_S):
            one = ParticipantClient(self._cluster, room=self._code)
            sent_away = threading.Event()
            for event in ("not_here", "disconnect"):
                one.client.on(event, lambda *_, sent_away=sent_away: sent_away.set())
            with suppress(socketio.exceptions.SocketIOError):
                one.__enter__()
                self._take_part(one, sent_away)
            one.client.disconnect()

    def _take_part(self, one: ParticipantClient, sent_away: threading.Event) -> None:
        joined = one.join(self._code, **({"resume": self._resume} if self._resume else {}))
        if "participant" not in joined:
            return
        self._resume = joined["resume"]
        self.identities.append(joined["participant"])
        while not (self._stopping.wait(FRAME_INTERVAL_S) or sent_away.is_set()):
            meta = {"seq": 1, "captured_ms": 1000 * time.time()}
            one.client.emit("frame", (meta, self._jpeg), callback=self._note)  # its answer may never come

    def _note(self, answer: Answer) -> None:
        self.analysed += "faces" in answer


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
    except (FileNotFoundError, ProcessLookupError):
        return False
