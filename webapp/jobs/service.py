"""What can be done with jobs: make one of an upload, look at one's own, fetch results, remove them."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath, PureWindowsPath

from webapp.config import Settings
from webapp.errors import (
    BadUploadError,
    JobNotReadyError,
    NoSpaceError,
    NoSuchJobError,
    SettingsError,
    TooManyJobsError,
)
from webapp.jobs.kinds import kind_of, media_type_of
from webapp.jobs.processes import JobProcesses
from webapp.jobs.record import INPUT, JobRecord, State, is_anonymous
from webapp.jobs.store import JobStore, new_id
from webapp.jobs.uploads import JobUploads, Upload
from webapp.protocol import MAX_EVERY

MAX_NAME_LENGTH = 200
MAX_FPS = 240.0

ANONYMOUS_FRACTION = 0.5
"""Of all jobs, how many may have come without an account from other machines: else some addresses could keep
everybody's jobs out."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who makes a job: `id` may see it, `counts_for` is whose limit it counts towards."""

    id: str
    counts_for: str


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which frames of a video are analyzed: every `every`th, or `fps` a second if that is given.

    Raises:
        BadUploadError: they are out of range, or both are given.
    """

    every: int = 1
    fps: float | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.every <= MAX_EVERY or (self.fps is not None and not 0 < self.fps <= MAX_FPS):
            raise BadUploadError(
                f"`every` must be a whole number from 1 to {MAX_EVERY:,}, and `fps` a number over 0, up to "
                f"{MAX_FPS:g}."
            )
        if self.every > 1 and self.fps is not None:
            raise BadUploadError("Give either `every` or `fps`.")


class JobService:
    """The jobs of this server. Any thread may call it; `_adding` makes the limits hold at all times."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._store = JobStore(settings.data_dir / "jobs")
        self.uploads = JobUploads(settings, self._store)
        self.processes = JobProcesses(settings, self._store)
        self._adding = threading.Lock()

    def start(self) -> None:
        """Go on with the jobs that an earlier server left.

        Raises:
            SettingsError: the folder cannot be used.
        """
        try:
            self._store.prepare()
        except OSError as error:
            raise SettingsError(f"Jobs cannot be kept in {self._store.folder}: {error.strerror}.") from error
        self.processes.start()

    def stop(self) -> None:
        """Stop working; unfinished jobs go on after the next start."""
        self.processes.stop()

    def check_limits(self, owner: Owner) -> None:
        """Make sure that there may be one more job.

        Raises:
            TooManyJobsError: there are as many as there may be.
        """
        jobs, most = self._store.all(), self._settings.max_jobs
        own = sum(job.counts_for == owner.counts_for for job in jobs)
        if own >= self._settings.max_jobs_per_owner:
            raise TooManyJobsError(
                f"There are {own} jobs of this key, host or address, as many as one may have "
                "(MIEN_MAX_JOBS_PER_OWNER). Delete some, or wait until old ones are deleted."
            )
        if len(jobs) >= most:
            raise TooManyJobsError(
                f"The server has {len(jobs)} jobs, as many as it may (MIEN_MAX_JOBS). Try again later."
            )
        anonymous = sum(job.is_anonymous for job in jobs)
        if is_anonymous(owner.counts_for) and anonymous >= max(1, int(ANONYMOUS_FRACTION * most)):
            raise TooManyJobsError(
                f"The server has {anonymous} jobs that were sent without an account, as many as it may; the "
                "others are kept for hosts and their keys. Try again later, or send a key."
            )

    def create(self, upload: Upload, name: str | None, sampling: Sampling, owner: Owner) -> JobRecord:
        """Make a job of an upload, and let it wait for its turn.

        Raises:
            BadUploadError: it is none that can be analyzed.
            TooManyJobsError: there are as many as there may be.
            NoSpaceError: it cannot be written.
        """
        upload.close()
        name = displayed_name(name)
        kind = kind_of(name, upload.start)
        record = JobRecord(
            id=new_id(self._settings.node if self._settings.shares_database else ""),
            owner=owner.id,
            counts_for=owner.counts_for,
            name=name,
            kind=kind,
            media_type=media_type_of(kind, upload.start),
            bytes=upload.size,
            created_s=time.time(),
            every=sampling.every,
            fps=sampling.fps,
        )
        with self._adding:
            self.check_limits(owner)
            try:
                self._store.add(record, upload.path)
            except OSError as error:
                raise NoSpaceError(f"The file cannot be kept: {error.strerror}.") from error
        self.processes.wake()
        return record

    def of(self, owners: Collection[str]) -> list[JobRecord]:
        """The jobs of whoever is any of these owners, the newest first."""
        return [job for job in reversed(self._store.all()) if job.owner in owners]

    def states(self) -> Counter[State]:
        """How many jobs are in each state."""
        return Counter(job.state for job in self._store.all())

    def find(self, job_id: str, owners: Collection[str]) -> JobRecord:
        """A job of whoever is any of these owners.

        Raises:
            NoSuchJobError: there is none, or it is somebody else's.
        """
        record = self._store.get(job_id)
        if record is None or record.owner not in owners:
            raise NoSuchJobError("There is no such job; it may have been deleted.")
        return record

    def file(self, record: JobRecord, name: str) -> Path:
        """A result of a job, or its input.

        Raises:
            JobNotReadyError: it has no such file, or none yet.
        """
        path = self._store.path(record.id, name)
        if (name != INPUT and name not in record.results) or not path.is_file():
            raise JobNotReadyError(_not_ready(record, name))
        return path

    def remove(self, record: JobRecord) -> JobRecord:
        """Stop a job if it is not finished, and delete all of it; what its owner is told."""
        self._store.remove(record.id)
        self.processes.wake()
        return replace(record, state="cancelled", remaining_s=None, results=())

    def expires_s(self, record: JobRecord) -> float | None:
        """The seconds until a job is deleted by itself; None while it is not finished."""
        if record.finished_s is None:
            return None
        return max(0.0, round(record.finished_s + 60 * self._settings.job_keep_minutes - time.time(), 1))


def displayed_name(name: str | None) -> str:
    """The name of a file without folders and characters that cannot be shown."""
    base = PureWindowsPath(PurePosixPath(name or "").name).name
    shown = "".join(each if each.isprintable() else "\ufffd" for each in base).strip()
    return shown[-MAX_NAME_LENGTH:] or "file"


def _not_ready(record: JobRecord, name: str) -> str:
    if record.state in ("queued", "running"):
        return f"{name} is not written yet; ask for the job until it is done."
    if record.state == "failed":
        return f"There is no {name}, as the job failed: {record.error.text if record.error else ''}"
    return f"This job has no {name}; it has {', '.join(record.results)}."
