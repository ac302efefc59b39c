"""A child process that answers requests over a socketpair.

It reads requests from its end of the socketpair, sends replies, which `ChildProcess` matches to requests by
their ids, and sends an empty reply to READY_ID once it is ready. `webapp.ipc.supervisor` keeps one running.

Only the standard library waits here: under eventlet's monkey patching these threads are green, else real.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from webapp.config import PROJECT_ROOT
from webapp.errors import ChildGoneError, LinkError
from webapp.ipc import framing

EXIT_TIMEOUT_S = 0.5
"""How long a child may take to end after it closed its end of the link; then the log can say how it did."""

STOPPED_TIMEOUT_S = 0.5
"""How long a child may be stopped by a signal (SIGSTOP). A slow machine does not stop processes, so this
needs no patience, unlike a reply that is late."""

PROCESS_STATES = Path("/proc")
"""Where Linux says which processes are stopped; elsewhere nothing says it."""

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
        stable_after_s: a child that was ready for this long ran well: its end is no failure in a row.
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
    stable_after_s: float = 10.0


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
        self._stopped_s = 0.0
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
    def ending(self) -> str:
        """How it ended, for the log."""
        status = self._process.returncode
        if status is None:
            return "without a status"
        return f"by {signal.Signals(-status).name}" if status < 0 else f"with status {status}"

    @property
    def ran_well(self) -> bool:
        """Whether it has been ready for some time."""
        since_s = self._ready_since_s
        return since_s is not None and time.monotonic() - since_s >= self._spec.stable_after_s

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
                raise gone(self._spec)
            self._pending[request_id] = pending
            self._silent_s.setdefault(lane, 0.0)
        try:
            with self._send_lock:
                framing.send(self._link, framing.Message(request_id, payload))
        except OSError:
            self._fail_all()  # before `read_replies` sees it, so that no more requests come here
            raise gone(self._spec) from None
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
            self.kill()
        finally:
            self._close()

    def hangs(self, elapsed_s: float) -> bool:
        """Whether it is stopped, or the start, or the oldest request of a lane, takes longer than it may.

        The watchdog calls this periodically with the time since its last call. What counts is the time since
        the last reply in the lane: a request that waits behind others does not hang.
        """
        self._stopped_s = self._stopped_s + elapsed_s if _is_stopped(self.pid) else 0.0
        if self._stopped_s > STOPPED_TIMEOUT_S:
            return True
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
            pending.reply.set_exception(gone(self._spec))

    def _close(self) -> None:
        self._fail_all()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(EXIT_TIMEOUT_S)
        self._process.kill()
        self._process.wait()
        with self._send_lock:  # a blocked sender has had its error, as the other end is closed
            self._link.close()


def _is_stopped(pid: int) -> bool:
    """Whether a signal has stopped a process, which goes on only if another signal lets it."""
    try:
        stat = (PROCESS_STATES / str(pid) / "stat").read_text()
    except OSError:
        return False
    return stat.rpartition(") ")[2].startswith("T")


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


def gone(spec: ChildSpec) -> ChildGoneError:
    """The error of whoever asks a child that is not running."""
    return ChildGoneError(f"The {spec.name} process is not running; another is being started.")
