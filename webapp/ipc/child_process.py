"""Child processes that answer requests over a socketpair, and the supervisor that keeps one running.

    supervisor = Supervisor(spec, decode)
    supervisor.start()
    reply = supervisor.request(payload, timeout_s=3.0)     # a Future; raises ChildGoneError
    supervisor.stop()

`ChildProcess` is one running child: it matches replies to requests by their ids. `Supervisor` starts it,
kills it when it hangs, and starts the next one when it ends, for whatever reason, after a pause that grows
while children keep failing. A child reads requests from its end of the socketpair, sends replies, and sends
an empty reply to READY_ID once it is ready.

Only the standard library waits here: under eventlet's monkey patching these threads are green, else real.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from webapp.config import PROJECT_ROOT
from webapp.errors import ChildGoneError, LinkError
from webapp.ipc import framing

WATCH_INTERVAL_S = 0.25

MAX_WATCH_STEP_S = 2 * WATCH_INTERVAL_S
"""The most that is counted between two checks of the watchdog. If this process itself stood still for longer,
a reply may lie unread in the socket, and the child is not to blame."""

STABLE_AFTER_S = 10.0
"""A child that was ready for this long ran well: its end does not count as another failure in a row."""

T = TypeVar("T")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """How to run a kind of child process.

    Args:
        name: its name in the log.
        command: the program and its arguments; `{link}` stands for the descriptor of its end of the link.
        environment: its complete environment.
        hello: the payload of a first message, with READY_ID, that is sent before any request.
        start_timeout_s: how long it may take to become ready.
        stop_timeout_s: how long it may take to finish its requests when it is stopped.
        max_reply_bytes: a child that sends a longer reply is killed.
        restart_pause_s: the pause before the second restart in a row (the first comes at once); it doubles
            with each further one, up to `max_restart_pause_s`.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    hello: bytes | None = None
    start_timeout_s: float = 60.0
    stop_timeout_s: float = 2.0
    max_reply_bytes: int = framing.MAX_PAYLOAD_BYTES
    restart_pause_s: float = 0.1
    max_restart_pause_s: float = 2.0


@dataclass(slots=True)
class _Pending(Generic[T]):
    """A request without a reply yet, whether anyone still waits for it or not."""

    lane: str
    timeout_s: float
    reply: Future[T] = field(default_factory=Future)


class ChildProcess(Generic[T]):
    """One running child; any thread may call it at any time, but `read_replies` only once."""

    def __init__(self, spec: ChildSpec, decode: Callable[[bytes], T]) -> None:
        """Start the process.

        `decode` reads the payload of a reply; if it raises a LinkError, the child is killed.

        Raises:
            OSError: it could not be started.
        """
        self._spec = spec
        self._decode = decode
        self._process, self._link = _spawn(spec)
        self._lock = threading.Lock()
        self._send_lock = threading.Lock()
        self._request_ids = itertools.count(framing.READY_ID + 1)
        self._pending: dict[int, _Pending[T]] = {}
        self._silent_s: dict[str, float] = {}
        self._starting_s = 0.0
        self._ready_since_s: float | None = None
        self._closed = False
        if spec.hello is not None:
            with contextlib.suppress(OSError):  # it ended already, which `read_replies` sees
                framing.send(self._link, framing.Message(framing.READY_ID, spec.hello))

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def ready(self) -> bool:
        """Whether it has reported ready and is still running."""
        return self._ready_since_s is not None and not self._closed

    @property
    def ran_well(self) -> bool:
        """Whether it has been ready for some time."""
        return self._ready_since_s is not None and time.monotonic() - self._ready_since_s >= STABLE_AFTER_S

    def request(self, payload: bytes, timeout_s: float, lane: str = "") -> Future[T]:
        """Send a request and return its future reply, which raises a ChildGoneError if the child ends first.

        Args:
            payload: the request.
            timeout_s: how long the child may work on it before it counts as hanging.
            lane: requests of one lane are answered in order, those of different lanes concurrently.

        Raises:
            ChildGoneError: the child has ended.
        """
        pending: _Pending[T] = _Pending(lane, timeout_s)
        request_id = next(self._request_ids)
        with self._lock:
            if self._closed:
                raise _gone(self._spec)
            self._pending[request_id] = pending
            self._silent_s.setdefault(lane, 0.0)
        try:
            with self._send_lock:
                framing.send(self._link, framing.Message(request_id, payload))
        except OSError:
            self._fail_all()  # before `read_replies` sees it, so that no more requests come here
            raise _gone(self._spec) from None
        return pending.reply

    def read_replies(self, on_ready: Callable[[], None]) -> None:
        """Match replies to requests until the child is gone, then fail the requests without a reply."""
        try:
            while (message := framing.receive(self._link, self._spec.max_reply_bytes)) is not None:
                self._accept(message, on_ready)
        except OSError as error:
            logger.debug("the connection to %s %d broke: %s", self._spec.name, self.pid, error)
        except LinkError as error:
            logger.error("%s %d violated the protocol: %s", self._spec.name, self.pid, error)
        finally:
            self._close()

    def hangs(self, elapsed_s: float) -> bool:
        """Whether the start, or the oldest request of a lane, takes longer than it may.

        The watchdog calls this periodically with the time since its last call. What counts is the time since
        the last reply in the lane: a request that waits behind others does not hang.
        """
        if not self.ready:
            self._starting_s += elapsed_s
            return self._starting_s > self._spec.start_timeout_s
        with self._lock:
            oldest: dict[str, _Pending[T]] = {}
            for pending in self._pending.values():
                oldest.setdefault(pending.lane, pending)
            self._silent_s = {lane: self._silent_s[lane] + elapsed_s for lane in oldest}
            return any(self._silent_s[lane] > pending.timeout_s for lane, pending in oldest.items())

    def kill(self) -> None:
        """Kill the process; `read_replies` then sees the closed socket and cleans up."""
        self._process.kill()

    def stop(self) -> None:
        """Take no more requests, let the child finish those it has, and end; kill it if it does not.

        A child that is not ready yet has begun nothing that it could finish: it is killed at once.
        """
        with self._lock:
            can_finish, self._closed = self.ready, True
        if not can_finish:
            self.kill()
        with contextlib.suppress(OSError):  # the socket is closed already
            self._link.shutdown(socket.SHUT_WR)
        try:
            self._process.wait(self._spec.stop_timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()

    def _accept(self, message: framing.Message, on_ready: Callable[[], None]) -> None:
        if message.request_id == framing.READY_ID:
            if self._ready_since_s is not None or message.payload:
                raise LinkError("It reported ready twice, or with a payload.")
            self._ready_since_s = time.monotonic()
            on_ready()
            return
        if message.request_id not in self._pending:
            raise LinkError(f"It replied to request {message.request_id}, which does not exist any more.")
        outcome = self._decode(message.payload)
        with self._lock:
            pending = self._pending.pop(message.request_id, None)
            if pending is None:  # a broken connection failed it meanwhile
                return
            self._silent_s[pending.lane] = 0.0
        pending.reply.set_result(outcome)

    def _fail_all(self) -> None:
        with self._lock:
            self._closed = True
            failed, self._pending = list(self._pending.values()), {}
        for pending in failed:
            pending.reply.set_exception(_gone(self._spec))

    def _close(self) -> None:
        self._fail_all()
        self._process.kill()
        self._process.wait()
        with self._send_lock:  # a blocked sender has had its error, as the other end is closed
            self._link.close()


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
            raise _gone(self._spec)
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
                logger.error("%s: the process ended; starting another in %g s", self._spec.name, pause_s)
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


def _spawn(spec: ChildSpec) -> tuple[subprocess.Popen[bytes], socket.socket]:
    near_end, far_end = socket.socketpair()
    try:
        for end in (near_end, far_end):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, framing.SOCKET_BUFFER_BYTES)
        process = subprocess.Popen(
            [argument.format(link=far_end.fileno()) for argument in spec.command],
            cwd=PROJECT_ROOT,
            env=dict(spec.environment),
            pass_fds=[far_end.fileno()],
        )
    except BaseException:
        near_end.close()
        raise
    finally:
        far_end.close()
    return process, near_end


def _gone(spec: ChildSpec) -> ChildGoneError:
    return ChildGoneError(f"The {spec.name} process is not running; another is being started.")
