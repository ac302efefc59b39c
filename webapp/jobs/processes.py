"""The job processes as the server sees them: one for each lane, while the lane has jobs."""

from __future__ import annotations

import logging
import pickle
import sys
import threading
import time
from concurrent.futures import Future
from dataclasses import replace

from webapp.config import Settings, child_environment
from webapp.errors import ChildGoneError
from webapp.ipc.child_process import ChildSpec
from webapp.ipc.supervisor import Supervisor, stop_together
from webapp.jobs.record import LANES, Lane
from webapp.jobs.store import JobStore

TEND_INTERVAL_S = 2.0
"""How often the processes look after the jobs, if nothing happens in between."""

ANSWER_TIMEOUT_S = 600.0
"""Generous: at the lowest priority, a process may not get the machine for long."""

START_TIMEOUT_S = 600.0

STOP_TIMEOUT_S = 6.0

IDLE_S = 300.0
"""How long a process without jobs stays, with its models in memory: people send several files."""

LIBRARY_PREFIXES = ("OMP_", "TF_", "XLA_", "KERAS_", "CUDA_", "NVIDIA_", "SSL_")

logger = logging.getLogger(__name__)


class JobProcesses:
    """Keeps a process running for each lane that has unfinished jobs, and has it look after them.

    `start` and `stop` are called once each; any thread may call `wake` and `pids`.
    """

    def __init__(self, settings: Settings, store: JobStore) -> None:
        self._settings = settings
        self._store = store
        self._supervisors: dict[Lane, Supervisor[bytes]] = {}
        self._needed_s: dict[Lane, float] = {}
        self._asked: dict[Lane, Future[bytes]] = {}
        self._wake = threading.Event()
        self._stopping = threading.Event()

    def start(self) -> None:
        """Begin to look after the jobs that there are."""
        threading.Thread(target=self._tend, daemon=True).start()

    def stop(self) -> None:
        """End the processes; their jobs go back to the queue."""
        self._stopping.set()
        self._wake.set()
        stop_together(tuple(self._supervisors.values()))

    def wake(self) -> None:
        """A job was made or removed."""
        self._wake.set()

    def pids(self) -> dict[Lane, int | None]:
        """The ids of the processes that run."""
        return {lane: supervisor.pid for lane, supervisor in tuple(self._supervisors.items())}

    def _tend(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                self._remove_old()
                self._store.clear_removed()
                self._start_and_end()
            except OSError as error:  # this thread must outlive a lack of descriptors, and the folder's loss
                logger.error("the folder of jobs cannot be read: %s", error)
            for lane, supervisor in self._supervisors.items():
                self._ask(lane, supervisor)
            self._wake.wait(TEND_INTERVAL_S)

    def _remove_old(self) -> None:
        oldest_s = time.time() - 60 * self._settings.job_keep_minutes
        for job in self._store.all():
            if job.finished_s is not None and job.finished_s < oldest_s:
                self._store.remove(job.id)

    def _start_and_end(self) -> None:
        """Start the process of a lane with the first of its jobs; end it some time after the last."""
        unfinished = {job.lane for job in self._store.all() if not job.is_finished}
        for lane in LANES:
            if lane in unfinished:
                self._needed_s[lane] = time.monotonic()
                if lane not in self._supervisors:
                    self._supervisors[lane] = Supervisor(job_spec(self._settings, lane), lambda reply: reply)
                    self._supervisors[lane].start()
            elif lane in self._supervisors and time.monotonic() - self._needed_s[lane] > IDLE_S:
                self._supervisors.pop(lane).stop()

    def _ask(self, lane: Lane, supervisor: Supervisor[bytes]) -> None:
        """Have a process look after its jobs, unless it still does."""
        asked = self._asked.get(lane)
        if not supervisor.ready or (asked is not None and not asked.done()):
            return
        try:
            self._asked[lane] = supervisor.request(b"", ANSWER_TIMEOUT_S)
        except ChildGoneError:
            logger.debug("the process of %s is being replaced", lane)


def job_spec(settings: Settings, lane: Lane) -> ChildSpec:
    """How to run the process of a lane; it gets no secret that it does not need."""
    needed = replace(
        settings, host_token=None, secret_key=None, database=None, tls_key=None, tls_certificate=None
    )
    pixels = 1_000_000 * settings.max_file_megapixels
    return ChildSpec(
        name=f"jobs ({lane})",
        command=(sys.executable, "-m", "webapp.jobs.work.main", "{link}"),
        environment=child_environment(LIBRARY_PREFIXES) | {"OPENCV_IO_MAX_IMAGE_PIXELS": str(pixels)},
        hello=pickle.dumps((needed, lane)),
        start_timeout_s=START_TIMEOUT_S,
        stop_timeout_s=STOP_TIMEOUT_S,
        restart_pause_s=1.0,
        max_restart_pause_s=60.0,
    )
