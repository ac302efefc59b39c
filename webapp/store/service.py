"""Answers the server's requests in the store's process: see `requests`.

A request whose deadline has passed is not begun, and one that reaches its commit too late is rolled back.
"""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import signal
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import Engine, event

from webapp.errors import LeaseOverError, MienError, StoreError
from webapp.ipc import framing
from webapp.store.requests import EXPORTS, LANES, PASSWORDS, REQUESTS, Request, check_deadline, deadline

NICENESS = 10
"""Frames come first: a batch can wait some milliseconds for a core."""

logger = logging.getLogger(__name__)


def run_process(name: str, serve: Callable[[socket.socket, str], None]) -> None:
    """Be a process that answers the server until their link closes; its descriptor is the first argument.

    `serve` gets the link and the database's URL, which the first message names. If it cannot start, the
    process ends with status 1.
    """
    logging.basicConfig(format=f"%(asctime)s %(levelname)s {name} %(process)d: %(message)s")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the closing link ends us
    end = socket.socket(fileno=int(sys.argv[1]))
    end.setblocking(True)
    try:
        with contextlib.suppress(ConnectionError):  # the server is gone
            first = framing.receive(end)
            if first is not None:
                serve(end, first.payload.decode())
    except (MienError, OSError) as failure:
        logger.error("the process %s cannot start: %s", name, failure)
        sys.exit(1)


class Service:
    """Answers the requests of each lane in order, on a thread of its own; one thread runs `serve`, once.

    `repositories` has what can be asked, by name. `prepare` is called before each request; what fails there
    fails the request, and the next one tries again. It `gives_way` to other processes unless that is False.
    """

    def __init__(
        self,
        end: socket.socket,
        repositories: Mapping[str, object],
        prepare: Callable[[], None],
        gives_way: bool = True,
    ) -> None:
        self._end = end
        self._repositories = repositories
        self._prepare = prepare
        self._gives_way = gives_way
        self._send_lock = threading.Lock()
        self._threads = {name: ThreadPoolExecutor(1) for name in LANES}

    def serve(self) -> None:
        """Answer until the server closes its end, then finish what was asked."""
        event.listen(Engine, "commit", check_deadline)
        while (message := framing.receive(self._end)) is not None:
            request: Request = pickle.loads(message.payload)
            self._threads[request.lane].submit(self._answer, message.request_id, request)
        self._threads[REQUESTS].shutdown(wait=True)
        self._threads[EXPORTS].shutdown(wait=False, cancel_futures=True)
        self._threads[PASSWORDS].shutdown(wait=True, cancel_futures=True)

    def _answer(self, request_id: int, request: Request) -> None:
        payload = pickle.dumps(self._outcome(request), protocol=pickle.HIGHEST_PROTOCOL)
        with self._send_lock, contextlib.suppress(OSError):  # the server is gone
            framing.send(self._end, framing.Message(request_id, payload))

    def _outcome(self, request: Request) -> Any:  # noqa: ANN401 - what methods return
        try:
            self._prepare()
            if self._gives_way:
                step_back()
            with deadline(request.deadline_s, request.lease_end_s):
                return getattr(self._repositories[request.repository], request.method)(*request.arguments)
        except LeaseOverError as error:
            return error
        except Exception as error:  # noqa: BLE001 - one request must not end the store
            logger.error("the store could not %s: %s", request.method, _short(error))
            return StoreError(f"The database failed: {_short(error)}")


def step_back() -> None:
    """Give way to the workers and the server with this thread (on Linux; elsewhere with this process)."""
    os.setpriority(os.PRIO_PROCESS, 0, NICENESS)


def _short(error: Exception) -> str:
    """The database's own first line, without the statement and its values."""
    cause = getattr(error, "orig", None) or error
    return (str(cause).strip().splitlines() or [type(cause).__name__])[0][:200]
