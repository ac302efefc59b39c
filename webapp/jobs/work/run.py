"""One run of one job: its progress as the server sees it, and the moments at which it is to stop."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import replace
from pathlib import Path

from webapp.errors import FileError
from webapp.jobs.record import INPUT, Failure, JobRecord, Reason
from webapp.jobs.store import JobStore

WRITE_INTERVAL_S = 0.4
"""How often progress is written, and whether the job was removed is noticed."""

MIN_ESTIMATE_S = 2.0
MIN_ESTIMATE_PROGRESS = 0.02
"""Before that, the time that remains is anybody's guess."""

MAX_FAILURES = 100
MAX_FAILURE_LENGTH = 300
MAX_ERROR_LENGTH = 1000
"""Names in a ZIP can have 65,535 bytes, and the server often reads all records."""

MAX_RUNNING_PROGRESS = 0.99
MIN_FREE_BYTES = 500_000_000
"""Recordings of rooms need what is left of the disk more than jobs do."""


class StopRunError(Exception):
    """The process is to end; the job goes back to the queue. It is no failure, so no MienError."""


class JobRun:
    """Keeps the record of a running job. One thread works and calls it; `idle` may be called by another."""

    def __init__(self, store: JobStore, record: JobRecord, stopping: threading.Event) -> None:
        self.store = store
        self.record = record
        self._stopping = stopping
        self._total = 1.0
        self._done = 0.0
        self._began_s = self._written_s = time.monotonic()
        self._step = (time.process_time(), time.monotonic())

    @property
    def name(self) -> str:
        """The file as its owner named it."""
        return self.record.name

    @property
    def input(self) -> Path:
        """The file that was sent."""
        return self.path(INPUT)

    def path(self, name: str) -> Path:
        """Where a file of the job is."""
        return self.store.path(self.record.id, name)

    def reason(self, error: FileError) -> Reason:
        """What an error says, with the name of the file that its owner knows in place of ours."""
        text = str(error).replace(str(self.input), self.name).replace(f"{self.input.parent}/", "")
        return replace(Reason.of(error), text=text)

    def begin(self) -> None:
        """The job is running from now on."""
        self._write(replace(self.record, state="running", attempts=self.record.attempts + 1, progress=0.0))

    def expect(self, units: float) -> None:
        """How much there is to do; 0 if nobody knows."""
        self._total = max(1.0, units) if units > 0 else math.inf

    def step(self, units: float = 1.0) -> None:
        """Some of it is done.

        Raises:
            JobRemovedError: the job was removed.
            StopRunError: the process is to end.
            FileError: the disk is full.
        """
        self._done += units
        self._step = (time.process_time(), time.monotonic())
        if self._stopping.is_set():
            raise StopRunError
        if time.monotonic() - self._written_s >= WRITE_INTERVAL_S:
            self._check_space()
            self._write(self.record)

    def fail_input(self, name: str, reason: Reason) -> None:
        """One of the files of this job could not be analyzed; the others can."""
        if len(self.record.failures) < MAX_FAILURES:
            shown = _shortened(name, MAX_FAILURE_LENGTH)
            failure = Failure(shown, _with_shorter_text(reason, MAX_FAILURE_LENGTH))
            self.record = replace(self.record, failures=(*self.record.failures, failure))

    def publish(self, *names: str) -> None:
        """Some results are complete."""
        self._write(replace(self.record, results=(*self.record.results, *names)))

    def finish(self) -> None:
        """All is done."""
        self._write(
            replace(self.record, state="done", progress=1.0, remaining_s=None, finished_s=time.time())
        )

    def fail(self, reason: Reason) -> None:
        """The job ends with an error; only complete results stay."""
        self.store.keep_only(self.record.id, self.record.results)
        self._write(
            replace(
                self.record,
                state="failed",
                error=_with_shorter_text(reason, MAX_ERROR_LENGTH),
                remaining_s=None,
                finished_s=time.time(),
            )
        )

    def put_back(self, counts: bool) -> None:
        """The job waits again; whether the run that ended counts as an attempt."""
        self.store.keep_only(self.record.id, (INPUT,))
        self._write(
            replace(
                self.record,
                state="queued",
                progress=0.0,
                remaining_s=None,
                results=(),
                failures=(),
                attempts=self.record.attempts - (not counts),
            )
        )

    def idle(self) -> tuple[float, float]:
        """The processor time of this process and the time since the last step, in seconds."""
        processor_s, wall_s = self._step
        return time.process_time() - processor_s, time.monotonic() - wall_s

    def _check_space(self) -> None:
        if self.store.free_bytes() < MIN_FREE_BYTES:
            raise FileError(
                f"{self.name}: the server's disk is full, so the results cannot be written. Delete other "
                "jobs, or ask whoever runs the server.",
                "no_space",
            )

    def _write(self, record: JobRecord) -> None:
        if record.state == "running":
            progress = min(MAX_RUNNING_PROGRESS, self._done / self._total)
            record = replace(record, progress=progress, remaining_s=self._remaining_s(progress))
        self.store.update(record)
        self.record = record
        self._written_s = time.monotonic()

    def _remaining_s(self, progress: float) -> float | None:
        elapsed_s = time.monotonic() - self._began_s
        if elapsed_s < MIN_ESTIMATE_S or progress < MIN_ESTIMATE_PROGRESS:
            return None
        return round(elapsed_s * (1 - progress) / progress, 1)


def _with_shorter_text(reason: Reason, length: int) -> Reason:
    return replace(reason, text=_shortened(reason.text, length))


def _shortened(text: str, length: int) -> str:
    """A text whose middle is left out if it is long: the name of the file comes first, what to do last."""
    if len(text) <= length:
        return text
    return f"{text[: length // 2]}…{text[-length // 2 :]}"
