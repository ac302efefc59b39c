"""Locks the data folder and the SQLite file, so that no second server uses them at the same time.

Each server holds rooms in memory as the only truth, and writes in batches: two of them on one database would
undo each other's work. It is a kernel lock on an open file, so it ends with its process, however that ends;
the file itself stays. With PostgreSQL the folder is locked as well, as it holds the session key and the
certificates.
"""

from __future__ import annotations

import fcntl
import logging
import os
from contextlib import suppress
from pathlib import Path

from webapp.config import Settings
from webapp.errors import SettingsError

LOCK_NAME = "mien.lock"
SQLITE = "sqlite"

logger = logging.getLogger(__name__)


class FolderLock:
    """Held from `start` to `stop`, or to the end of the process; not inherited by child processes.

    One thread calls it.
    """

    def __init__(self, settings: Settings) -> None:
        self._paths = _lock_paths(settings)
        self._files: list[int] = []

    def start(self) -> None:
        """Take the lock.

        Raises:
            SettingsError: another server holds it, or the folder cannot be written.
        """
        try:
            for path in self._paths:
                self._files.append(_lock(path))
        except SettingsError:
            self.stop()
            raise

    def stop(self) -> None:
        """Release the lock."""
        while self._files:
            os.close(self._files.pop())


def _lock_paths(settings: Settings) -> list[Path]:
    """The data folder's lock, and one beside an SQLite file, in whatever folder a server has it."""
    paths = [settings.data_dir.absolute() / LOCK_NAME]
    kind, _, address = settings.database_url.partition(":///")
    file = address.partition("?")[0]
    if kind.partition("+")[0] == SQLITE and file:
        paths.append(Path(f"{Path(file).resolve()}.lock"))
    return paths


def _lock(path: Path) -> int:
    """Lock a file, and return its descriptor; the file contains the id of the process that holds the lock."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be written: {error.strerror}. Set MIEN_DATA_DIR to a folder that this user may "
            "write to."
        ) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(file, 20).decode(errors="replace").strip()
        os.close(file)
        raise SettingsError(_taken(path, holder)) from None
    except OSError as error:  # some network file systems have no locks
        logger.warning(
            "%s cannot be locked (%s): make sure that no other server uses it", path, error.strerror
        )
    with suppress(OSError):  # a full disk does not prevent a start
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
    return file


def _taken(path: Path, holder: str) -> str:
    who = f"process {holder}" if holder else "another process"
    if path.name == LOCK_NAME:
        return (
            f"Another server ({who}) uses the data folder {path.parent}. Stop it, or give this one a folder "
            "of its own with MIEN_DATA_DIR."
        )
    return (
        f"Another server ({who}) uses the database {path.with_suffix('')}. Stop it, or give this one a "
        "database of its own with MIEN_DATABASE_URL."
    )
