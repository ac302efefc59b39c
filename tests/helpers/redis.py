"""A Redis of a test's own, from the program that Debian installs."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis, RedisError

from tests.helpers.serving import free_port
from tests.helpers.waiting import wait_until


class RedisServer:
    """A Redis in a folder, not started yet; what it holds outlasts a stop."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._port = folder, free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = ["redis-server", "--port", str(self._port), "--bind", "127.0.0.1", "--appendonly", "yes"]
        self._process = subprocess.Popen(
            [*command, "--dir", str(self._folder)], stdout=subprocess.DEVNULL, cwd="/"
        )
        wait_until(self.is_up)

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)
            self._process = None

    def is_up(self) -> bool:
        """Whether it answers."""
        client = Redis.from_url(self.url)
        try:
            return bool(client.ping())
        except RedisError:
            return False
        finally:
            client.close()


@contextmanager
def running_redis() -> Iterator[RedisServer]:
    """A Redis that runs until the block ends; the test is skipped where none is installed."""
    if shutil.which("redis-server") is None:
        pytest.skip("no redis-server is installed")
    with tempfile.TemporaryDirectory(prefix="mien-redis-") as name:
        server = RedisServer(Path(name))
        server.start()
        try:
            yield server
        finally:
            server.stop()
