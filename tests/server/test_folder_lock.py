"""Two servers never share a data folder or an SQLite file, however the first one ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.serving import PROJECT_ROOT, START_TIMEOUT_S, Server, free_port
from webapp.config import Settings
from webapp.errors import SettingsError
from webapp.server.folder_lock import LOCK_NAME, FolderLock


def test_a_second_server_on_a_data_folder_is_refused_until_the_first_has_ended(tmp_path: Path) -> None:
    first, second = FolderLock(Settings(data_dir=tmp_path)), FolderLock(Settings(data_dir=tmp_path))
    first.start()
    with pytest.raises(SettingsError, match=f"process {os.getpid()}.*{tmp_path}.*MIEN_DATA_DIR"):
        second.start()
    first.stop()
    second.start()
    second.stop()
    assert (tmp_path / LOCK_NAME).stat().st_mode & 0o077 == 0


def test_a_database_that_lies_elsewhere_is_locked_too(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'shared.sqlite'}"
    first, second = (
        FolderLock(Settings(data_dir=tmp_path / name, database=database)) for name in ("one", "two")
    )
    first.start()
    with pytest.raises(SettingsError, match=r"shared\.sqlite.*MIEN_DATABASE_URL"):
        second.start()
    third = FolderLock(Settings(data_dir=tmp_path / "two"))
    third.start()  # what was refused holds nothing
    third.stop()
    first.stop()


@pytest.mark.parametrize("scheme", ["sqlite", "sqlite+pysqlite"])
@pytest.mark.parametrize("query", ["", "?timeout=5"])
def test_a_database_in_the_data_folder_of_another_server_is_locked(
    tmp_path: Path, scheme: str, query: str
) -> None:
    first = FolderLock(Settings(data_dir=tmp_path / "one"))
    database = f"{scheme}:///{tmp_path / 'one' / 'mien.sqlite'}{query}"
    second = FolderLock(Settings(data_dir=tmp_path / "two", database=database))
    first.start()
    with pytest.raises(SettingsError, match=r"mien\.sqlite.*MIEN_DATABASE_URL"):
        second.start()
    first.stop()
    second.start()
    with pytest.raises(SettingsError):
        first.start()
    second.stop()


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="cannot be written.*MIEN_DATA_DIR"):
        FolderLock(Settings(data_dir=tmp_path / "file" / "folder")).start()


def test_a_running_server_keeps_others_away_and_a_killed_one_does_not() -> None:
    with Server(MIEN_WORKERS="1") as server:
        settings = os.environ | server.settings | {"MIEN_PORT": str(free_port())}
        other = subprocess.run(
            [sys.executable, "wsgi.py"],
            cwd=PROJECT_ROOT,
            env=settings,
            capture_output=True,
            text=True,
            timeout=START_TIMEOUT_S,
        )
        assert other.returncode == 1
        assert "uses the data folder" in other.stderr and "Traceback" not in other.stderr
        assert server.is_ready()
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait(10)
        server.start()
