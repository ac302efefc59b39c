"""A real server as a process of its own, for tests and benchmarks."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import weakref
from pathlib import Path
from types import TracebackType
from typing import Self

import requests

PROJECT_ROOT = Path(__file__).resolve().parent.parent.parent

START_TIMEOUT_S = 180.0
STOP_TIMEOUT_S = 60.0
"""What the parts of a server may take to stop, one after the other, and some seconds of a busy machine."""


def free_port() -> int:
    """A port that nobody listens on; from the ephemeral range, where no browser refuses one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """`with Server(MIEN_WORKERS="1") as server:` runs wsgi.py on a free port until the block ends."""

    def __init__(self, **settings: str) -> None:
        self.port = int(settings.setdefault("MIEN_PORT", str(free_port())))
        scheme = "https" if settings.get("MIEN_HTTPS") == "1" else "http"
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        folder = tempfile.mkdtemp(prefix="mien-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        settings.setdefault("MIEN_DATA_DIR", folder)
        self.settings = settings

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            if hasattr(self, "process"):
                self.process.kill()  # nobody else ends it
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the process and wait until it is ready."""
        self.process = subprocess.Popen(
            [sys.executable, "wsgi.py"], cwd=PROJECT_ROOT, env=os.environ | self.settings
        )
        self.wait_until_ready(START_TIMEOUT_S)

    def stop(self) -> None:
        """Stop it as a person or systemd would, with SIGTERM."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(STOP_TIMEOUT_S)

    def wait_until_ready(self, limit_s: float) -> float:
        """The seconds until /readyz answers 200."""
        start_s = time.monotonic()
        while not self.is_ready():
            assert self.process.poll() is None, f"the server ended with {self.process.returncode}"
            assert time.monotonic() - start_s < limit_s, "the server was not ready in time"
            time.sleep(0.05)
        return time.monotonic() - start_s

    def is_ready(self) -> bool:
        """What /readyz says."""
        try:
            return requests.get(f"{self.url}/readyz", timeout=5, verify=False).status_code == 200  # noqa: S501
        except (requests.ConnectionError, requests.Timeout):
            return False

    def worker_pids(self) -> list[int]:
        """The process ids of its workers."""
        return self._children("webapp.analysis.worker")

    def job_pids(self) -> list[int]:
        """The process ids of the processes that run jobs."""
        return self._children("webapp.jobs.work.main")

    def store_pid(self) -> int:
        """The process id of its store."""
        (pid,) = self.store_pids()
        return pid

    def store_pids(self) -> list[int]:
        """The same; none while another store is being started."""
        return self._children("webapp.export.store_process")

    def _children(self, module: str) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(pid) for pid in children if module in _command_line(pid)]


def _command_line(pid: str) -> str:
    """What a process runs; nothing if it has just ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
