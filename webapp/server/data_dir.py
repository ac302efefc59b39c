"""The folder for what the server keeps (`MIEN_DATA_DIR`), and files in it that are whole or not there."""

from __future__ import annotations

import os
from pathlib import Path

from webapp.errors import SettingsError


def prepare_data_dir(folder: Path) -> None:
    """Make a private folder where there is none, and make sure that this user can write to it.

    Raises:
        SettingsError: it cannot be made or written to.
    """
    probe = folder / f".writable-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_file(probe, b"x")
        probe.unlink()
    except OSError as error:
        raise SettingsError(
            f"Nothing can be kept in {folder}: {error.strerror}. Free some space there, or set MIEN_DATA_DIR "
            "to a folder that this user may write to."
        ) from error


def write_file(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a file that nobody without the right can read, not for a moment, and that is never half.

    A full disk or a crash leaves what was there before, or no file.
    """
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the new name of a file outlast a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
