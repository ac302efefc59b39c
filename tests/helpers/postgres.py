"""A PostgreSQL of a test's own, from the programs that Debian installs."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.helpers.serving import free_port

USER = "postgres"
"""Who runs it where we are root, whom PostgreSQL refuses."""


def find_postgres() -> Path | None:
    """The folder of PostgreSQL's programs, or None where they, or a user to run them, are missing."""
    if os.geteuid() == 0 and shutil.which("runuser") is None:
        return None
    candidates = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    found = shutil.which("initdb")
    return Path(found).parent if found else (candidates[0].parent if candidates else None)


class Postgres:
    """A PostgreSQL in a folder, not started yet."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs, self._data, self._port = programs, folder / "data", free_port()
        self.url = f"postgresql://mien@127.0.0.1:{self._port}/postgres"
        if os.geteuid() == 0:
            shutil.chown(folder, USER)
        self._run("initdb", "-A", "trust", "-U", "mien")

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        options = f"-p {self._port} -c listen_addresses=127.0.0.1 -c unix_socket_directories="
        self._run("pg_ctl", "-w", "-l", str(self._data / "log"), "-o", options, "start")

    def stop(self) -> None:
        """End it at once, as a crash would."""
        self._run("pg_ctl", "-m", "immediate", "stop")

    def freeze(self) -> None:
        """Let all its processes stand still: it takes connections, and answers none of them."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let them go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        """Signal the first process and its children, which serve a connection each."""
        pid = int((self._data / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for process in (pid, *map(int, children)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)

    def _run(self, program: str, *arguments: str) -> None:
        as_user = ["runuser", "-u", USER, "--"] if os.geteuid() == 0 else []
        command = [*as_user, str(self._programs / program), "-D", str(self._data), *arguments]
        subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL)


@contextmanager
def running_postgres(programs: Path) -> Iterator[Postgres]:
    """A PostgreSQL that runs until the block ends, in a folder that its user can reach."""
    with tempfile.TemporaryDirectory(prefix="mien-postgres-") as name:
        postgres = Postgres(programs, Path(name))
        postgres.start()
        try:
            yield postgres
        finally:
            postgres.stop()


@contextmanager
def database_setting(kind: str) -> Iterator[dict[str, str]]:
    """The settings with which a server keeps its rooms in "SQLite" or in a "PostgreSQL" of its own.

    The test is skipped where no PostgreSQL is installed.
    """
    if kind == "SQLite":
        yield {}
        return
    programs = find_postgres()
    if programs is None:
        pytest.skip("no PostgreSQL is installed")
    with running_postgres(programs) as postgres:
        yield {"MIEN_DATABASE_URL": postgres.url}
