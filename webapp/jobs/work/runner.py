"""Runs the jobs of a lane one by one, with models that stay loaded; what fails is noted in their records.

Owners are taken in turn, so that nobody waits for all the files of another.
"""

from __future__ import annotations

import logging
import resource
import threading
from functools import cached_property
from pathlib import Path

from webapp.analysis import FileEngine
from webapp.config import Settings
from webapp.errors import FileError, JobRemovedError, MienError
from webapp.jobs.record import JobRecord, Lane, Reason
from webapp.jobs.store import JobStore
from webapp.jobs.work.images import analyze_image, analyze_images
from webapp.jobs.work.run import JobRun, StopRunError
from webapp.jobs.work.turns import Turns
from webapp.jobs.work.video import analyze_video
from webapp.jobs.work.watchdog import Watchdog

HEADROOM_BYTES = 4 << 30
"""What this process may map beyond its loaded models: a 48-megapixel photograph takes 600 MB, and threads map
more than they use."""

MAX_ATTEMPTS = 2

WORK = {"image": analyze_image, "images": analyze_images, "video": analyze_video}

logger = logging.getLogger(__name__)


class Runner:
    """Runs one job at a time, on the thread that calls `run_next`; any thread may call `stop`."""

    def __init__(self, store: JobStore, settings: Settings, lane: Lane) -> None:
        self._store = store
        self._lane = lane
        self._turns = Turns()
        self._settings = settings
        self._stopping = threading.Event()
        self._idle = threading.Event()
        self._idle.set()
        self._watchdog = Watchdog()
        self._lost: set[str] = set()

    @cached_property
    def _engine(self) -> FileEngine:
        """Loaded for the first job: most servers have none."""
        engine = FileEngine(self._settings, self._settings.job_threads)
        limit_memory()
        return engine

    def run_next(self, _job_id: str) -> None:
        """Run the job whose owner's turn it is, unless none waits any more.

        The queue calls this once for each job, in the order in which they came: so each job has its run,
        though perhaps not at its own call.
        """
        waiting = [job for job in self._store.all() if job.lane == self._lane and job.state == "queued"]
        record = self._turns.next_job(waiting)
        if record is not None and not self._stopping.is_set():
            self._run(record)
            self._turns.end(record)

    def _run(self, record: JobRecord) -> None:
        run, job_id = JobRun(self._store, record, self._stopping), record.id
        self._idle.clear()
        self._watchdog.begin(run)
        try:
            self._carry_out(run)
        except JobRemovedError:
            logger.info("the job %s was removed", job_id)
        except OSError as error:
            logger.error("the record of job %s cannot be written: %s", job_id, error)
            self._lost.add(job_id)
        finally:
            self._watchdog.end()
            self._idle.set()
            self._store.clear_removed()

    def stop(self, timeout_s: float) -> bool:
        """Put the running job back and take no other; whether that was done in time."""
        self._stopping.set()
        return self._idle.wait(timeout_s)

    def recover_lost(self) -> None:
        """Try again to note what became of jobs whose records could not be written, as on a full disk."""
        for job_id in tuple(self._lost):
            record = self._store.get(job_id)
            if record is not None and record.state == "running":
                self.recover(record)
            self._lost.discard(job_id)

    def recover(self, record: JobRecord) -> None:
        """A job was running when an earlier process of this kind ended: it waits again, once, or fails."""
        run = JobRun(self._store, record, self._stopping)
        if record.attempts < MAX_ATTEMPTS:
            run.put_back(counts=True)
            return
        logger.error("the job %s ended its process %d times; it fails", record.id, record.attempts)
        text = (
            f"{record.name}: the process that analyzed this file ended {record.attempts} times before it was "
            "done. The file may be damaged, or need more memory than there is; convert it, or send a smaller "
            "one."
        )
        run.fail(Reason(text, "process_ended"))

    def _carry_out(self, run: JobRun) -> None:
        run.begin()
        try:
            WORK[run.record.kind](run, self._engine)
            run.finish()
        except StopRunError:
            run.put_back(counts=False)
        except FileError as error:
            run.fail(run.reason(error))
        except MemoryError:
            text = f"{run.name}: there is not enough memory for a file of this size; send a smaller one."
            run.fail(Reason(text, "no_memory"))
        except OSError as error:
            text = f"{run.name}: the results cannot be written: {error.strerror}."
            run.fail(Reason(text, "not_written"))
        except JobRemovedError:
            raise
        except MienError as error:
            logger.error("the job %s failed: %s", run.record.id, error)
            text = f"{run.name}: the server cannot analyze files now; its log says why."
            run.fail(Reason(text, "unavailable"))
        except Exception:  # noqa: BLE001 - one job must not end the process, and its owner must learn of it
            logger.exception("the job %s failed", run.record.id)
            run.fail(Reason(f"{run.name}: the analysis failed; the server's log says why.", "server_error"))


def limit_memory() -> None:
    """Limit the memory of this process, on Linux; elsewhere the limits on files hold alone."""
    try:
        mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = mapped + HEADROOM_BYTES
    if hard == resource.RLIM_INFINITY or limit < hard:
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
