"""The job process of a lane: `python -m webapp.jobs.work.main FILE_DESCRIPTOR`.

The first message on the link has the settings and the lane. Each further one asks to look after the jobs, and
is answered when that is done: new ones are queued, and the files of removed ones are deleted. The process
ends when the link closes; the job that runs then goes back to the queue.
"""

from __future__ import annotations

import fcntl
import logging
import os
import pickle
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from webapp.config import Settings
from webapp.errors import JobRemovedError
from webapp.ipc import framing
from webapp.ipc.native_output import drop_native_output
from webapp.jobs.record import JobRecord, Lane
from webapp.jobs.store import JobStore
from webapp.jobs.work.queue import JobQueue
from webapp.jobs.work.runner import Runner

IMAGE_NICENESS = 10
"""Somebody waits for an image, and it takes a second: it need not come last of all."""

LOWEST_NICENESS = 19

STOP_TIMEOUT_S = 5.0

logger = logging.getLogger(__name__)


class Caretaker:
    """Looks after the jobs of a lane; one thread calls it."""

    def __init__(self, settings: Settings, store: JobStore, lane: Lane) -> None:
        self._store = store
        self._lane = lane
        self.runner = Runner(store, settings, lane)
        self.queue = JobQueue(settings, store, lane, self.runner.run_next)
        self._queue_fails = False

    def recover(self) -> None:
        """See to the jobs that were running when the process before this one ended."""
        for record in self._jobs():
            if record.state == "running":
                self.runner.recover(record)

    def tend(self) -> None:
        """Queue the new jobs, and delete the files of removed ones."""
        self._note_lost()
        self._queue_new()
        self._store.clear_removed()

    def _note_lost(self) -> None:
        try:
            self.runner.recover_lost()
        except (OSError, JobRemovedError) as error:
            logger.debug("not yet: %s", error)

    def _queue_new(self) -> None:
        new = [record.id for record in self._jobs() if record.state == "queued"]
        if not new:
            return
        try:
            waiting = self.queue.waiting()
            for job_id in new:
                if job_id not in waiting:
                    self.queue.put(job_id)
        except Exception as error:  # noqa: BLE001 - SQLite and Redis have errors of their own
            if not self._queue_fails:
                logger.error("jobs wait, as their queue does not work: %s", error)
            self._queue_fails = True
        else:
            self._queue_fails = False

    def _jobs(self) -> list[JobRecord]:
        return [record for record in self._store.all() if record.lane == self._lane]


@contextmanager
def alone(store: JobStore, lane: Lane) -> Iterator[None]:
    """Wait until no other process, such as one of a server that was killed, runs jobs of this lane."""
    with (store.folder / f"{lane}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def main(file_descriptor: int) -> None:
    """Run jobs until the link closes."""
    end = socket.socket(fileno=file_descriptor)
    end.setblocking(True)
    first = framing.receive(end)
    if first is None:
        return
    settings, lane = pickle.loads(first.payload)
    lower_priority(min(settings.job_niceness, IMAGE_NICENESS) if lane == "images" else settings.job_niceness)
    store = JobStore(settings.data_dir / "jobs")
    with alone(store, lane):
        caretaker = Caretaker(settings, store, lane)
        caretaker.recover()
        caretaker.queue.start()
        _ignore_signals()
        framing.send(end, framing.Message(framing.READY_ID, b""))
        while (message := framing.receive(end)) is not None:
            caretaker.tend()
            framing.send(end, framing.Message(message.request_id, b""))
        caretaker.queue.stop()
        caretaker.runner.stop(STOP_TIMEOUT_S)
        os._exit(0)  # a decoder that hangs would hold up the end of its thread


def lower_priority(niceness: int) -> None:
    """Let live frames go first; at the lowest niceness, take only what nobody else wants of the processor.

    With niceness alone, Linux lets the current thread finish its slice of some milliseconds when a frame
    arrives. A thread of SCHED_IDLE gives way at once, and still gets some 0.3% of a core that is always busy.
    """
    os.nice(niceness)
    if sys.platform == "linux" and niceness == LOWEST_NICENESS:
        with suppress(OSError):  # where a sandbox forbids it, niceness has to do
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def _ignore_signals() -> None:
    """Ctrl-C reaches the whole group, and the closing link ends us; SIGTERM ends us at once."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


if __name__ == "__main__":
    drop_native_output()
    logging.basicConfig(format="%(asctime)s %(levelname)s jobs %(process)d: %(message)s")
    try:
        main(int(sys.argv[1]))
    except ConnectionError:
        logger.info("the server is gone")
