"""Keeps one child process running.

    supervisor = Supervisor(spec, decode)
    supervisor.start()
    reply = supervisor.request(payload, timeout_s=3.0)     # a Future; raises ChildGoneError
    supervisor.stop()

It kills the child when it hangs, and starts the next one when it ends, for whatever reason, after a pause
that grows while children keep failing.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from webapp.ipc.child_process import ChildProcess, ChildSpec, gone

WATCH_INTERVAL_S = 0.25

MAX_WATCH_STEP_S = 2 * WATCH_INTERVAL_S
"""The most that is counted between two checks of the watchdog. If this process itself stood still for longer,
a reply may lie unread in the socket, and the child is not to blame."""

T = TypeVar("T")

logger = logging.getLogger(__name__)


class Backoff:
    """The pauses between the restarts of one child, in seconds; one thread calls it."""

    def __init__(self, first_s: float, max_s: float) -> None:
        self._first_s = first_s
        self._max_s = max_s
        self._next_s = 0.0

    def next_s(self, ran_well: bool) -> float:
        """The pause after a child that ended: 0, first_s, twice that, and so on up to max_s."""
        pause_s = 0.0 if ran_well else self._next_s
        self._next_s = min(self._max_s, max(self._first_s, 2 * pause_s))
        return pause_s


class Supervisor(Generic[T]):
    """Keeps one child running; any thread may call it at any time, `start` and `stop` once each.

    The supervising thread calls `on_ready` whenever a child becomes ready, and counts `restarts`.
    """

    def __init__(
        self, spec: ChildSpec, decode: Callable[[bytes], T], on_ready: Callable[[], None] = lambda: None
    ) -> None:
        self._spec = spec
        self._decode = decode
        self._on_ready = on_ready
        self._child: ChildProcess[T] | None = None
        self.restarts = 0
        self._spawned = threading.Event()
        self._stopping = threading.Event()

    @property
    def ready(self) -> bool:
        """Whether a child can answer now."""
        child = self._child
        return child is not None and child.ready

    @property
    def pid(self) -> int | None:
        """The process id of the child, while there is one."""
        child = self._child
        return child.pid if child else None

    def start(self) -> None:
        """Start the child and the threads that supervise it; returns before it is ready."""
        threading.Thread(target=self._supervise, daemon=True).start()
        threading.Thread(target=self._watch, daemon=True).start()

    def stop(self) -> None:
        """Let the child finish its requests and end; it is not restarted."""
        self._stopping.set()
        child = self._child
        if child is not None:
            child.stop()

    def wait_until_spawned(self, timeout_s: float) -> bool:
        """Wait for the first child, ready or not; return whether it was started in time."""
        return self._spawned.wait(timeout_s)

    def request(self, payload: bytes, timeout_s: float, lane: str = "") -> Future[T]:
        """Send a request to the running child; see `ChildProcess.request`.

        Raises:
            ChildGoneError: no child is running; the next one is being started.
        """
        child = self._child
        if child is None:
            raise gone(self._spec)
        return child.request(payload, timeout_s, lane)

    def _supervise(self) -> None:
        """Run one child after another."""
        backoff = Backoff(self._spec.restart_pause_s, self._spec.max_restart_pause_s)
        while not self._stopping.is_set():
            ran_well = False
            try:
                ran_well = self._run_child()
            except Exception:  # noqa: BLE001 - this thread must outlive a full process table, memory, a bad reply
                logger.exception("%s: could not be run", self._spec.name)
            if not self._stopping.is_set():
                self.restarts += 1
                pause_s = backoff.next_s(ran_well)
                logger.error("%s: starting another in %g s", self._spec.name, pause_s)
                self._stopping.wait(pause_s)

    def _run_child(self) -> bool:
        """Run a child to its end; return whether it ran well."""
        child = ChildProcess(self._spec, self._decode)
        self._child = child
        self._spawned.set()
        try:
            if self._stopping.is_set():
                child.kill()  # `stop` was called before it was visible
            child.read_replies(self._on_ready)
        finally:
            self._child = None
        if not self._stopping.is_set():
            logger.error("%s %d ended %s", self._spec.name, child.pid, child.ending)
        return child.ran_well

    def _watch(self) -> None:
        """Kill the child when it hangs; the supervising thread then starts the next."""
        last_s = time.monotonic()
        while not self._stopping.wait(WATCH_INTERVAL_S):
            now_s = time.monotonic()
            elapsed_s, last_s = min(now_s - last_s, MAX_WATCH_STEP_S), now_s
            child = self._child
            if child is not None and child.hangs(elapsed_s):
                logger.error("%s %d does not reply; killing it", self._spec.name, child.pid)
                child.kill()


def stop_together(supervisors: Iterable[Supervisor[Any]]) -> None:
    """Stop several children at once: all together take no longer than the slowest."""
    threads = [threading.Thread(target=one.stop, daemon=True) for one in supervisors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
