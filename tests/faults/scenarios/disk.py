"""The disk of the data folder fills up, and is freed, while participants are recorded into SQLite."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.outage import Outage, outcome_of
from tests.faults.outcome import Outcome
from tests.faults.recording import PROMISED, Limits
from tests.helpers.room_client import TOKEN
from tests.helpers.serving import Server

DISK_MB = 24
PIECE_BYTES = 4096

PROMISE = (
    "While the disk is full, the live view goes on, the board says that samples wait and why, and once there "
    "is room again all of them are stored."
)


class SmallDisk:
    """A file system of its own, of some megabytes, that can be filled to the last byte."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Leave no room at all."""
        with self._ballast.open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(PIECE_BYTES))

    def free(self) -> None:
        """Give all of it back."""
        self._ballast.unlink()


@contextmanager
def small_disk() -> Iterator[SmallDisk]:
    """A disk until the block ends; whoever may not mount one is told so, and the check is skipped."""
    with tempfile.TemporaryDirectory(prefix="mien-disk-") as name:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "mien", name]
        if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode != 0:
            pytest.skip("only root may mount a small disk, and a container has to allow it")
        try:
            yield SmallDisk(Path(name))
        finally:
            subprocess.run(["umount", name], check=True)


def run(seconds: float, limits: Limits = PROMISED) -> Outcome:
    """Fill the disk for a third of the time."""
    with small_disk() as disk, Server(MIEN_HOST_TOKEN=TOKEN, MIEN_DATA_DIR=str(disk.folder)) as server:
        outage = Outage(disk.fill, disk.free, seconds / 3)
        return outcome_of(server, outage, seconds, PROMISE, "The disk was full", limits)
