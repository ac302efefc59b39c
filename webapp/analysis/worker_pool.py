"""Gives frames to worker processes, watches the processes and replaces those that die or hang.

    engine = Engine(lambda: WorkerProcess(worker_command(settings)), workers=2)
    engine.start()
    analysis = engine.analyze(job, owner)     # blocks this (green) thread; raises a FrameError
    engine.stop()

Each job is carried by the thread that asks: it waits for a place at the least busy worker, sends the job and
waits for the reply. Where places are short, owners get them in turn, however many jobs each has. One keeper
thread a worker reads the replies and starts the next process when one ends. Only the standard library is
used: in the serving process eventlet has made `threading` and `socket` green, in tests they are what they
are.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future

from webapp.analysis.worker_process import WorkerProcess
from webapp.errors import BusyError, FrameError, UnavailableError
from webapp.protocol import Analysis, Job

JOBS_PER_WORKER = 2
"""One in work and one waiting in the link, so that a worker never waits for the server."""

QUEUE_LIMIT_S = 0.5
"""A frame that found no place at a worker for this long is too old to be worth it."""

SPARE_BELOW = 0.6
"""There is time to spare while less than this part of the workers is at work, as new jobs find them."""

LOAD_MEMORY_S = 1.0
"""The time constant of that measure."""

WATCH_INTERVAL_S = 0.25

RESTARTS_AT_ONCE = 5
RESTART_WINDOW_S = 60.0
"""A worker that ended this often within the window is not restarted before the window has moved on."""

logger = logging.getLogger(__name__)


class Engine:
    """A fixed number of workers behind one blocking call."""

    def __init__(self, factory: Callable[[], WorkerProcess], workers: int) -> None:
        self._factory = factory
        self._lock = threading.Lock()
        self._workers: list[WorkerProcess | None] = [None] * workers
        self._waiting: dict[object, deque[Future[WorkerProcess]]] = {}
        self._stopping = threading.Event()
        self._at_work = 0.0
        self._measured_s = 0.0

    @property
    def ready(self) -> bool:
        """Whether at least one worker can answer now."""
        return any(worker is not None and worker.ready for worker in self._workers)

    @property
    def spare(self) -> bool:
        """Whether the workers had little to do lately."""
        return self._at_work < SPARE_BELOW

    def start(self) -> None:
        """Start the workers and the threads that keep them; returns before the models are loaded."""
        for place in range(len(self._workers)):
            threading.Thread(target=self._keep, args=(place,), daemon=True).start()
        threading.Thread(target=self._watch, daemon=True).start()

    def stop(self) -> None:
        """End every worker; frames under way are finished or answered `unavailable`."""
        self._stopping.set()
        for worker in filter(None, self._workers):
            worker.stop()

    def analyze(self, job: Job, owner: object) -> Analysis:
        """Let a worker do a job; `owner` stands for whoever takes turns with others.

        Raises:
            BusyError: every worker had its hands full for QUEUE_LIMIT_S.
            UnavailableError: no worker was there in that time, or the one with this frame died.
            FrameError: the worker's verdict on the picture.
        """
        worker = self._take_place(owner)
        try:
            return worker.analyze(job)
        finally:
            with self._lock:
                worker.load -= 1
                self._give_places()

    def _take_place(self, owner: object) -> WorkerProcess:
        place: Future[WorkerProcess] = Future()
        with self._lock:
            self._measure_load()
            self._waiting.setdefault(owner, deque()).append(place)
            self._give_places()
        try:
            return place.result(QUEUE_LIMIT_S)
        except TimeoutError:
            if place.cancel():
                raise self._no_place() from None
            return place.result()

    def _measure_load(self) -> None:
        """Move the mean part of the workers at work towards what it is now; the lock is held."""
        now_s = time.monotonic()
        weight = 1 - math.exp((self._measured_s - now_s) / LOAD_MEMORY_S)
        at_work = sum(worker is None or worker.load > 0 for worker in self._workers) / len(self._workers)
        self._at_work += weight * (at_work - self._at_work)
        self._measured_s = now_s

    def _give_places(self) -> None:
        """One owner after the other, each its oldest job; the lock is held."""
        while self._waiting and (worker := self._least_busy()) is not None:
            owner = next(iter(self._waiting))
            places = self._waiting.pop(owner)
            place = places.popleft()
            if places:
                self._waiting[owner] = places  # at the end of the round
            if place.set_running_or_notify_cancel():
                worker.load += 1
                place.set_result(worker)

    def _least_busy(self) -> WorkerProcess | None:
        free = (
            worker
            for worker in self._workers
            if worker is not None and worker.ready and worker.load < JOBS_PER_WORKER
        )
        return min(free, key=lambda worker: worker.load, default=None)

    def _no_place(self) -> FrameError:
        if self.ready:
            return BusyError("The server has more frames than it can analyse; send fewer a second.")
        return UnavailableError("No worker is ready to analyse frames; they are being started. Try again.")

    def _on_ready(self) -> None:
        with self._lock:
            self._give_places()

    def _keep(self, place: int) -> None:
        """Run one worker process after another in this place."""
        starts_s: deque[float] = deque(maxlen=RESTARTS_AT_ONCE)
        while not self._stopping.is_set():
            self._wait_for_restart(starts_s)
            starts_s.append(time.monotonic())
            worker = self._workers[place] = self._factory()
            worker.read_replies(self._on_ready)
            if not self._stopping.is_set():
                logger.warning("worker %d ended; starting another", worker.pid)

    def _wait_for_restart(self, starts_s: deque[float]) -> None:
        if len(starts_s) < RESTARTS_AT_ONCE:
            return
        pause_s = starts_s[0] + RESTART_WINDOW_S - time.monotonic()
        if pause_s > 0:
            logger.error("a worker ended %d times in a row; next start in %.0f s", len(starts_s), pause_s)
            self._stopping.wait(pause_s)

    def _watch(self) -> None:
        """Kill workers that hang; their keepers then replace them."""
        while not self._stopping.wait(WATCH_INTERVAL_S):
            for worker in filter(None, self._workers):
                if worker.hangs():
                    logger.warning("worker %d does not answer; killing it", worker.pid)
                    worker.kill()
