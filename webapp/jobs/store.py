"""The folder of all jobs: each has a folder of its own, with its record, its input and its results.

    jobs/uploads/...                     what is being sent
    jobs/ID/job.json, input, results...  a job
    jobs/removed/...                     what is about to be deleted

Both the server and the job processes use it. No locks are needed: a job's folder is made by the server, its
record is written by one process at a time and replaced as a whole, and the folder leaves by being renamed. A
job process notices that when it next writes.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from webapp.errors import JobRemovedError
from webapp.jobs.record import INPUT, JobRecord
from webapp.server.data_dir import write_file

RECORD = "job.json"
UPLOADS, REMOVED = "uploads", "removed"
SLICE_BYTES = 64 << 20
"""Of a large file, what is deleted at once."""

ID = re.compile(r"([a-z0-9]{1,20}-)?[0-9a-f]{20}")


def new_id(node: str = "") -> str:
    """A random id, which nobody can guess; after the name of the node that has the job's files, if any."""
    return f"{node}-{secrets.token_hex(10)}" if node else secrets.token_hex(10)


class JobStore:
    """The jobs below a folder; any thread and several processes may use it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self) -> None:
        """Make the folder, and remove what an earlier server left behind; before anything is sent.

        Raises:
            OSError: it cannot be made.
        """
        for folder in (self.folder, self.folder / UPLOADS, self.folder / REMOVED):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for upload in (self.folder / UPLOADS).iterdir():
            upload.unlink(missing_ok=True)
        for folder in self._folders():
            if self.get(folder.name) is None:
                self.remove(folder.name)
        self.clear_removed()
        self.queue_id()

    def queue_id(self) -> str:
        """A random name for the queues of this folder, so that servers can share a Redis."""
        path = self.folder / "queue.id"
        if not path.is_file():
            write_file(path, new_id().encode())
        return path.read_text()

    def new_upload(self) -> Path:
        """A path for what is about to be sent."""
        return self.folder / UPLOADS / new_id()

    def add(self, record: JobRecord, upload: Path) -> None:
        """Keep a new job, whose input is moved into its folder.

        Raises:
            OSError: it cannot be written.
        """
        folder = self.folder / record.id
        folder.mkdir(mode=0o700)
        try:
            upload.replace(folder / INPUT)
            write_file(folder / RECORD, record.to_json().encode())
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def get(self, job_id: str) -> JobRecord | None:
        """The job with this id, unless there is none, or its record is damaged."""
        if not ID.fullmatch(job_id):
            return None
        try:
            return JobRecord.from_json((self.folder / job_id / RECORD).read_text())
        except (OSError, ValueError):
            return None

    def all(self) -> list[JobRecord]:
        """All jobs, in the order in which they were made; other requests have their turn in between."""
        found = []
        for folder in self._folders():
            if (record := self.get(folder.name)) is not None:
                found.append(record)
            time.sleep(0)
        return sorted(found, key=lambda record: record.created_s)

    def update(self, record: JobRecord) -> None:
        """Replace the record of a job.

        Raises:
            JobRemovedError: the job was removed.
            OSError: it cannot be written.
        """
        path = self.folder / record.id / RECORD
        unfinished = path.with_name(f"{RECORD}.new")
        try:
            unfinished.write_text(record.to_json())
            unfinished.replace(path)
        except FileNotFoundError:
            raise JobRemovedError(f"The job {record.id} was removed.") from None

    def path(self, job_id: str, name: str) -> Path:
        """Where a file of a job is."""
        return self.folder / job_id / name

    def exists(self, job_id: str) -> bool:
        """Whether the job has not been removed."""
        return (self.folder / job_id).is_dir()

    def remove(self, job_id: str) -> None:
        """Take a job away at once; `clear_removed` deletes its files."""
        source = self.folder / job_id
        try:
            source.replace(self.folder / REMOVED / f"{job_id}-{secrets.token_hex(4)}")
        except FileNotFoundError:
            if source.is_dir():  # otherwise somebody else took it away
                raise

    def keep_only(self, job_id: str, names: tuple[str, ...]) -> None:
        """Delete all files of a job but its record and these.

        Raises:
            JobRemovedError: the job was removed.
        """
        if not self.exists(job_id):
            raise JobRemovedError(f"The job {job_id} was removed.")
        for path in (self.folder / job_id).iterdir():
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name not in (RECORD, *names):
                path.unlink(missing_ok=True)

    def clear_removed(self) -> None:
        """Delete the files of removed jobs."""
        for folder in (self.folder / REMOVED).iterdir():
            for path in _files_below(folder):
                _shrink(path)
            shutil.rmtree(folder, ignore_errors=True)

    def used_bytes(self) -> int:
        """The size of all files."""
        total = 0
        for path in _files_below(self.folder):
            total += _size(path)
            time.sleep(0)
        return total

    def free_bytes(self) -> int:
        """What is left on the disk."""
        return shutil.disk_usage(self.folder).free

    def _folders(self) -> Iterator[Path]:
        if self.folder.is_dir():
            yield from (path for path in self.folder.iterdir() if ID.fullmatch(path.name))


def _files_below(folder: Path) -> Iterator[Path]:
    """All files; folders that others delete meanwhile are passed over, where `rglob` would fail."""
    for parent, _, names in os.walk(folder):
        yield from (Path(parent) / name for name in names)


def _shrink(path: Path) -> None:
    """Take a large file's content away piece by piece: as a whole it could hold up other requests."""
    with suppress(OSError):  # another process deletes it too
        if path.is_file():
            for size in range(path.stat().st_size - SLICE_BYTES, 0, -SLICE_BYTES):
                os.truncate(path, size)
                time.sleep(0)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # removed meanwhile
        return 0
