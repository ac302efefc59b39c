"""One worker process as the server sees it: its link, the jobs under way, and whether it still answers."""

from __future__ import annotations

import itertools
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from webapp.config import PROJECT_ROOT, Settings
from webapp.errors import FrameError, UnavailableError
from webapp.ipc import framing
from webapp.protocol import Analysis, Job

JOB_LIMIT_S = 3.0
"""A worker that has not replied for this long hangs; a frame takes some 10 ms."""

START_LIMIT_S = 60.0
"""Loading Keras can take ten seconds, LiteRT one."""

STOP_LIMIT_S = 2.0

KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(32 << 20), "MALLOC_TRIM_THRESHOLD_": str(64 << 20)}
"""Lets glibc use a worker's memory again for the next picture in place of asking the system for new pages:
decoding 1280 x 720 pixels takes 2.0 ms, with fresh pages 6.0."""

logger = logging.getLogger(__name__)


def worker_command(settings: Settings) -> list[str]:
    """The command that starts a worker; `{link}` stands for the file descriptor of its end of the link."""
    return [
        sys.executable,
        "-m",
        "webapp.analysis.worker",
        "{link}",
        settings.runtime,
        str(settings.model_path),
    ]


@dataclass(frozen=True, slots=True)
class Pending:
    """A job under way; `started_s` is on the clock of `time.monotonic`."""

    started_s: float
    reply: Future[Analysis] = field(default_factory=Future)


class WorkerProcess:
    """A running worker. `load` belongs to the engine: the places that it has given away here."""

    def __init__(self, command: Sequence[str]) -> None:
        self._link, far_end = socket.socketpair()
        for end in (self._link, far_end):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, framing.SOCKET_BUFFER_BYTES)
        with far_end:
            self._process = subprocess.Popen(
                [part.format(link=far_end.fileno()) for part in command],
                cwd=PROJECT_ROOT,
                env=os.environ | KEEP_MEMORY,
                pass_fds=[far_end.fileno()],
            )
        self._started_s = time.monotonic()
        self._send_lock = threading.Lock()
        self._request_ids = itertools.count(framing.READY_ID + 1)
        self._jobs: dict[int, Pending] = {}
        self._closed = False
        self.ready = False
        self.load = 0

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def analyze(self, job: Job) -> Analysis:
        """Send one picture and wait for what the worker makes of it.

        Raises:
            FrameError: the worker's own verdict on the picture, or UnavailableError where it died over it.
        """
        request_id = next(self._request_ids)
        pending = self._jobs[request_id] = Pending(time.monotonic())
        if self._closed:
            raise _died()
        try:
            with self._send_lock:
                framing.send(self._link, framing.Message(request_id, framing.pack_job(job)))
        except OSError:
            self.ready = False  # before `read_replies` sees it too, so that no more jobs come here
            raise _died() from None
        return pending.reply.result()

    def read_replies(self, on_ready: Callable[[], None]) -> None:
        """Hand replies to their jobs until the worker is gone, then fail what it had under way."""
        try:
            while (message := framing.receive(self._link)) is not None:
                if message.request_id == framing.READY_ID:
                    self.ready = True
                    on_ready()
                else:
                    self._deliver(message)
        except ConnectionError as error:
            logger.debug("the link to worker %d broke: %s", self.pid, error)
        finally:
            self._close()

    def hangs(self) -> bool:
        """Whether a job, or the loading of the models, takes longer than it ever should."""
        now = time.monotonic()
        if not self.ready:
            return now - self._started_s > START_LIMIT_S
        oldest_s = min((job.started_s for job in list(self._jobs.values())), default=now)
        return now - oldest_s > JOB_LIMIT_S

    def kill(self) -> None:
        """End the process at once; `read_replies` then sees the closed link and cleans up."""
        self._process.kill()

    def stop(self) -> None:
        """Let the worker finish and end; kill it if it does not."""
        if not self._closed:
            self._link.shutdown(socket.SHUT_WR)
        try:
            self._process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def _deliver(self, message: framing.Message) -> None:
        reply = self._jobs.pop(message.request_id).reply
        outcome = framing.unpack_outcome(message.payload)
        if isinstance(outcome, FrameError):
            reply.set_exception(outcome)
        else:
            reply.set_result(outcome)

    def _close(self) -> None:
        self.ready, self._closed = False, True
        self._process.kill()
        self._process.wait()
        self._link.close()
        while self._jobs:
            self._jobs.popitem()[1].reply.set_exception(_died())


def _died() -> UnavailableError:
    return UnavailableError("The worker with this frame stopped; another takes over. Send the next frame.")
