"""The store's process: reads requests from its link, asks the archive, replies.

The server starts it as `python -m webapp.store.service FILE_DESCRIPTOR`; it ends when the link closes, after
what it was asked before. `requests` has what it is asked. A request whose deadline has passed is not begun,
and one that reaches its commit too late is rolled back.
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
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import Engine, event

from webapp.errors import MienError, StoreError
from webapp.ipc import framing
from webapp.store.repositories import Archive
from webapp.store.requests import LANES, Request, check_deadline, deadline, lane

NICENESS = 10
"""Frames come first: a batch can wait some milliseconds for a core."""

logger = logging.getLogger(__name__)


class Service:
    """Answers requests in their order, exports and passwords beside them; one thread runs `serve`, once."""

    def __init__(self, end: socket.socket, archive: Archive) -> None:
        self._end = end
        self._archive = archive
        self._send_lock = threading.Lock()
        self._threads = {name: ThreadPoolExecutor(1) for name in LANES}

    def serve(self) -> None:
        """Answer until the server closes its end, then finish what was asked."""
        event.listen(Engine, "commit", check_deadline)
        while (message := framing.receive(self._end)) is not None:
            request: Request = pickle.loads(message.payload)
            self._threads[lane(request.method)].submit(self._answer, message.request_id, request)
        self._threads["requests"].shutdown(wait=True)
        self._threads["exports"].shutdown(wait=False, cancel_futures=True)
        self._threads["passwords"].shutdown(wait=True, cancel_futures=True)
        self._archive.close()

    def _answer(self, request_id: int, request: Request) -> None:
        payload = pickle.dumps(self._outcome(request), protocol=pickle.HIGHEST_PROTOCOL)
        with self._send_lock, contextlib.suppress(OSError):  # the server is gone
            framing.send(self._end, framing.Message(request_id, payload))

    def _outcome(self, request: Request) -> Any:  # noqa: ANN401 - what methods return
        try:
            self._archive.prepare()
            step_back()
            with deadline(request.deadline_s):
                return getattr(self._archive, request.method)(*request.arguments)
        except Exception as error:  # noqa: BLE001 - one request must not end the store
            logger.error("the store could not %s: %s", request.method, _short(error))
            return StoreError(f"The database failed: {_short(error)}")


def step_back() -> None:
    """Let the workers and the server go before this thread (on Linux; elsewhere before this process)."""
    os.setpriority(os.PRIO_PROCESS, 0, NICENESS)


def _short(error: Exception) -> str:
    """The database's own first line, without the statement and its values."""
    cause = getattr(error, "orig", None) or error
    return (str(cause).strip().splitlines() or [type(cause).__name__])[0][:200]


def main(file_descriptor: int) -> None:
    """Open the database that the first message names, and serve.

    Raises:
        SettingsError: its URL cannot be used.
    """
    end = socket.socket(fileno=file_descriptor)
    end.setblocking(True)
    first = framing.receive(end)
    if first is not None:
        archive = Archive(first.payload.decode())
        framing.send(end, framing.Message(framing.READY_ID, b""))
        Service(end, archive).serve()


if __name__ == "__main__":
    logging.basicConfig(format="%(asctime)s %(levelname)s store %(process)d: %(message)s")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the closing link ends us
    try:
        with contextlib.suppress(ConnectionError):  # the server is gone
            main(int(sys.argv[1]))
    except (MienError, OSError) as failure:
        logger.error("the store cannot start: %s", failure)
        sys.exit(1)
