"""Dispatches frames to a pool of worker processes, each kept running by a supervisor.

    pool = WorkerPool(worker_spec(settings), workers=2)
    pool.start()
    analysis = pool.analyze(job, owner)     # blocks this (green) thread; raises a FrameError
    pool.stop()

The calling thread carries its job: it waits for a slot at the least busy worker, sends the job and waits for
the reply. When slots are scarce, owners get them in turn, however many jobs each has and however long these
take (`turns`). Only the standard library is used: in the serving process eventlet has made `threading` and
`socket` green, in tests they are the real ones.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass

from webapp.analysis.turns import EXPECTED_S, Turns
from webapp.analysis.worker_process import FILE_TIMEOUT_S, JOB_TIMEOUT_S
from webapp.errors import BusyError, ChildGoneError, FrameError, UnavailableError
from webapp.ipc.child_process import ChildSpec
from webapp.ipc.job_codec import Outcome, pack_job, unpack_outcome
from webapp.ipc.supervisor import Supervisor, stop_together
from webapp.protocol import Analysis, Job

JOBS_PER_WORKER = 2
"""One in progress and one waiting in the socket, so that a worker never waits for the server."""

QUEUE_TIMEOUT_S = 0.5
"""A frame that has waited this long for a slot is too old to be worth analyzing."""

FILE_QUEUE_TIMEOUT_S = 10.0
"""An image file does not become too old, but whoever sent it wants an answer."""

FILES = "files"
"""The lane of image files: a worker analyzes them beside its frames."""

MAX_LOAD_WITH_SPARE_CAPACITY = 0.6
"""There is spare capacity while less than this fraction of the workers is busy when new jobs arrive."""

LOAD_TIME_CONSTANT_S = 1.0
"""Of the moving average of that fraction."""


class Worker:
    """One worker of the pool, across restarts.

    The pool's lock guards `load`, the number of slots taken, `background_load`, those of background jobs, and
    `replied_s`, when it last had an answer.
    """

    def __init__(self, supervisor: Supervisor[Outcome]) -> None:
        self.supervisor = supervisor
        self.load = 0
        self.background_load = 0
        self.replied_s = 0.0

    @property
    def is_busy(self) -> bool:
        """Whether it has a job that is not in the background, or is not running."""
        return self.load > self.background_load or not self.supervisor.ready


@dataclass(frozen=True, slots=True)
class PoolState:
    """How a pool is: workers that can answer, of all; starts of another one; jobs in progress and waiting."""

    ready: int
    workers: int
    restarts: int
    jobs: int
    waiting: int
    pids: tuple[int, ...]


Queue = dict[object, deque[Future[Worker]]]
"""The slots that each owner waits for; the owner whose last turn is longest ago comes first."""


class WorkerPool:
    """A fixed number of workers behind one blocking call; any thread may call it at any time."""

    def __init__(self, spec: ChildSpec, workers: int) -> None:
        self._lock = threading.Lock()
        self._workers = [Worker(Supervisor(spec, unpack_outcome, self._on_ready)) for _ in range(workers)]
        self._queue: Queue = {}
        self._background_queue: Queue = {}
        self._background_jobs = 0
        self._turns = Turns()
        self._load = 0.0
        self._measured_s = 0.0

    @property
    def ready(self) -> bool:
        """Whether at least one worker can answer now."""
        return any(worker.supervisor.ready for worker in self._workers)

    @property
    def has_spare_capacity(self) -> bool:
        """Whether the workers have had little to do in the last second."""
        return self._load < MAX_LOAD_WITH_SPARE_CAPACITY

    def state(self) -> PoolState:
        """How the pool is now."""
        with self._lock:
            supervisors = [worker.supervisor for worker in self._workers]
            return PoolState(
                ready=sum(one.ready for one in supervisors),
                workers=len(supervisors),
                restarts=sum(one.restarts for one in supervisors),
                jobs=sum(worker.load for worker in self._workers),
                waiting=sum(len(slots) for slots in self._queue.values()),
                pids=tuple(one.pid for one in supervisors if one.pid is not None),
            )

    def start(self) -> None:
        """Start the workers and their supervisors; returns before the models are loaded."""
        for worker in self._workers:
            worker.supervisor.start()

    def stop(self) -> None:
        """Stop every worker; frames under way are finished or answered `unavailable`."""
        stop_together(worker.supervisor for worker in self._workers)

    def analyze(
        self, job: Job, owner: object, background: bool = False, deadline_s: float | None = None
    ) -> Analysis:
        """Let a worker do a job; slots are shared fairly between owners.

        A background job gets a worker only while no other job waits, and never the last free one of several.
        After `deadline_s`, on the clock of `time.monotonic`, the caller waits no longer for the worker, which
        keeps the slot until it replies or is replaced.

        Raises:
            BusyError: no slot became free within QUEUE_TIMEOUT_S, or FILE_QUEUE_TIMEOUT_S.
            UnavailableError: no worker was running in that time, or the one with this frame died or hangs.
            FrameError: the worker could not analyze the image.
        """
        worker = self._acquire_slot(
            owner, background, FILE_QUEUE_TIMEOUT_S if job.is_file else QUEUE_TIMEOUT_S
        )
        reply = self._send(worker, job, owner, background)
        try:
            outcome = reply.result(None if deadline_s is None else max(0.0, deadline_s - time.monotonic()))
        except ChildGoneError:
            raise _stopped() from None
        except TimeoutError:
            raise UnavailableError(
                "The worker takes too long over this frame. Send the next frame."
            ) from None
        if isinstance(outcome, FrameError):
            raise outcome
        return outcome

    def _send(self, worker: Worker, job: Job, owner: object, background: bool) -> Future[Outcome]:
        """Send a job to a worker, whose slot is free again as soon as it replies or ends."""
        timeout_s, lane = (FILE_TIMEOUT_S, FILES) if job.is_file else (JOB_TIMEOUT_S, "")
        sent_s = time.monotonic()
        try:
            reply = worker.supervisor.request(pack_job(job), timeout_s, lane)
        except BaseException as error:
            self._release_slot(worker, owner, background, sent_s)
            if isinstance(error, ChildGoneError):
                raise _stopped() from None
            raise
        reply.add_done_callback(lambda _: self._release_slot(worker, owner, background, sent_s))
        return reply

    def _acquire_slot(self, owner: object, background: bool, timeout_s: float) -> Worker:
        queue = self._background_queue if background else self._queue
        with self._lock:
            self._measure_load()
            if not queue and (worker := self._free_worker(background)) is not None:
                self._take_slot(worker, owner, background)
                return worker
            slot: Future[Worker] = Future()
            queue.setdefault(owner, deque()).append(slot)
        try:
            return slot.result(timeout_s)
        except TimeoutError:
            if self._withdraw(slot, owner, queue):
                raise self._no_slot() from None
            return slot.result()

    def _release_slot(self, worker: Worker, owner: object, background: bool, sent_s: float) -> None:
        with self._lock:
            now_s = time.monotonic()
            if not background:
                self._turns.charge(owner, now_s - max(sent_s, worker.replied_s) - EXPECTED_S)
                worker.replied_s = now_s
            worker.load -= 1
            worker.background_load -= background
            self._background_jobs -= background
            self._assign_slots()

    def _withdraw(self, slot: Future[Worker], owner: object, queue: Queue) -> bool:
        """Stop waiting for a slot; False if it was given at the last moment."""
        with self._lock:
            slots = queue.get(owner)
            if slots is None or slot not in slots:
                return False
            slots.remove(slot)
            if not slots:
                del queue[owner]
            return True

    def _measure_load(self) -> None:
        """Update the moving average of the fraction of busy workers; the lock is held."""
        now_s = time.monotonic()
        weight = 1 - math.exp((self._measured_s - now_s) / LOAD_TIME_CONSTANT_S)
        busy = sum(worker.is_busy for worker in self._workers) / len(self._workers)
        self._load += weight * (busy - self._load)
        self._measured_s = now_s

    def _assign_slots(self) -> None:
        """Give free slots to waiting jobs, background jobs last; the lock is held."""
        for queue, background in ((self._queue, False), (self._background_queue, True)):
            while queue and (worker := self._free_worker(background)) is not None:
                owner = next(iter(queue)) if background else self._turns.next(queue)
                self._take_slot(worker, owner, background)
                _oldest_slot(queue, owner).set_result(worker)

    def _free_worker(self, background: bool) -> Worker | None:
        """A worker that may take one more such job, if any; the lock is held."""
        if not background:
            return self._least_busy(JOBS_PER_WORKER)
        if self._queue or self._background_jobs >= max(1, len(self._workers) - 1):
            return None
        return self._least_busy(1)

    def _least_busy(self, jobs: int) -> Worker | None:
        """The worker with the fewest jobs, if any has fewer than `jobs`."""
        found = None
        for worker in self._workers:
            if worker.load < jobs and worker.supervisor.ready:
                found, jobs = worker, worker.load
        return found

    def _take_slot(self, worker: Worker, owner: object, background: bool) -> None:
        if not background:
            self._turns.charge(owner, EXPECTED_S)
        worker.load += 1
        worker.background_load += background
        self._background_jobs += background

    def _no_slot(self) -> FrameError:
        if self.ready:
            return BusyError("The server has more frames than it can analyze; send fewer per second.")
        return UnavailableError("No worker is ready to analyze frames; they are being started. Try again.")

    def _on_ready(self) -> None:
        with self._lock:
            self._assign_slots()


def _stopped() -> UnavailableError:
    return UnavailableError("The worker with this frame stopped; another takes over. Send the next frame.")


def _oldest_slot(queue: Queue, owner: object) -> Future[Worker]:
    """Remove the oldest slot of an owner, who then moves to the end of the line."""
    slots = queue.pop(owner)
    slot = slots.popleft()
    if slots:
        queue[owner] = slots
    return slot
