"""The server's side of the store: a child process behind one typed call.

    store = StoreProcess(url)
    store.start()
    rooms = store.call(Archive.load_rooms)      # blocks this (green) thread; raises a StoreError
    store.stop()

A store that dies is started again. Only the standard library does the waiting here, which eventlet has made
green in the serving process.
"""

from __future__ import annotations

import itertools
import logging
import pickle
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from webapp.config import PROJECT_ROOT
from webapp.errors import StoreError
from webapp.ipc import framing
from webapp.store.repositories import Archive

CALL_LIMIT_S = 15.0
STOP_LIMIT_S = 8.0
RESTART_PAUSE_S = 0.5

P = ParamSpec("P")
T = TypeVar("T")
Method = Callable[Concatenate[Archive, P], T]

logger = logging.getLogger(__name__)


class Store(Protocol):
    """Whoever answers what an `Archive` can be asked."""

    def call(self, method: Method[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """What the method returns.

        Raises:
            StoreError: the store or its database is not there, or failed.
        """


class StoreProcess:
    """A store in a process of its own."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._request_ids = itertools.count(1)
        self._send_lock = threading.Lock()
        self._replies: dict[int, Future[Any]] = {}
        self._link: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        self._started = threading.Event()

    @property
    def pid(self) -> int | None:
        """The process id, while there is one."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the process, and again whenever it ends; returns before the database is open."""
        threading.Thread(target=self._keep, daemon=True).start()

    def stop(self) -> None:
        """Let the process finish what it was asked, and end."""
        self._stopping.set()
        if self._link is None or self._process is None:
            return
        self._link.shutdown(socket.SHUT_WR)
        try:
            self._process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def call(self, method: Method[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """See `Store`; arguments are given by position."""
        assert not named, "arguments travel by position"
        if not self._started.wait(CALL_LIMIT_S):
            raise _gone()
        request_id, reply = next(self._request_ids), Future[Any]()
        self._replies[request_id] = reply
        try:
            self._send(request_id, (method.__name__, arguments))
            outcome: T | StoreError = reply.result(CALL_LIMIT_S)
        except TimeoutError:
            raise StoreError("The database does not answer.") from None
        finally:
            self._replies.pop(request_id, None)
        if isinstance(outcome, StoreError):
            raise outcome
        return outcome

    def _send(self, request_id: int, request: object) -> None:
        payload = pickle.dumps(request, protocol=pickle.HIGHEST_PROTOCOL)
        with self._send_lock:
            if self._link is None:
                raise _gone()
            try:
                framing.send(self._link, framing.Message(request_id, payload))
            except OSError:
                raise _gone() from None

    def _keep(self) -> None:
        while not self._stopping.is_set():
            self._run_once()
            if not self._stopping.is_set():
                logger.error("the store's process ended; starting another")
                time.sleep(RESTART_PAUSE_S)

    def _run_once(self) -> None:
        near_end, far_end = socket.socketpair()
        with near_end:
            with far_end:
                command = [sys.executable, "-m", "webapp.store.service", str(far_end.fileno())]
                self._process = subprocess.Popen(command, cwd=PROJECT_ROOT, pass_fds=[far_end.fileno()])
            framing.send(near_end, framing.Message(0, pickle.dumps(self._url)))
            self._link = near_end
            self._started.set()
            try:
                self._read_replies(near_end)
            finally:
                self._link = None
                self._fail_all()
                self._process.wait()

    def _read_replies(self, end: socket.socket) -> None:
        try:
            while (message := framing.receive(end)) is not None:
                reply = self._replies.get(message.request_id)
                if reply is not None:
                    reply.set_result(pickle.loads(message.payload))
        except ConnectionError as error:
            logger.debug("the link to the store broke: %s", error)

    def _fail_all(self) -> None:
        for reply in list(self._replies.values()):
            if not reply.done():
                reply.set_result(_gone())


def export_pieces(store: Store, code: str, about: dict[str, Any], form: str) -> Iterator[bytes]:
    """A room's export as pieces of a ZIP file, fetched one by one as they are wanted.

    Raises:
        StoreError: at the first piece or later.
    """
    export_id = store.call(Archive.open_export, code, about, form)
    try:
        while (piece := store.call(Archive.read_export, export_id)) is not None:
            yield piece
    finally:
        store.call(Archive.close_export, export_id)


def _gone() -> StoreError:
    return StoreError("The store's process is not there; another is being started.")
