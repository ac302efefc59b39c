"""The store's process: reads requests from its link, asks the archive, replies.

The server starts it as `python -m webapp.store.service FILE_DESCRIPTOR`; it ends when the link closes, after
what it was asked before. A request's payload is a pickled (name of a method of `Archive`, arguments); the
first one is the URL of the database. A reply's payload is the pickled outcome, or a `StoreError`.
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

from webapp.errors import StoreError
from webapp.ipc import framing
from webapp.store.repositories import Archive

SLOW_METHODS = frozenset({"open_export", "read_export", "close_export"})
"""These have a thread of their own, so that an export never keeps samples waiting."""

NICENESS = 10
"""Frames come first: a batch can wait some milliseconds for a core."""

logger = logging.getLogger(__name__)


class Service:
    """Answers requests in their order, exports beside them."""

    def __init__(self, end: socket.socket, archive: Archive) -> None:
        self._end = end
        self._archive = archive
        self._send_lock = threading.Lock()
        self._requests = ThreadPoolExecutor(1)
        self._exports = ThreadPoolExecutor(1)

    def serve(self) -> None:
        """Answer until the server closes its end, then finish what was asked."""
        while (message := framing.receive(self._end)) is not None:
            method, arguments = pickle.loads(message.payload)
            threads = self._exports if method in SLOW_METHODS else self._requests
            threads.submit(self._answer, message.request_id, method, arguments)
        self._requests.shutdown(wait=True)
        self._exports.shutdown(wait=False, cancel_futures=True)
        self._archive.close()

    def _answer(self, request_id: int, method: str, arguments: tuple[Any, ...]) -> None:
        payload = pickle.dumps(self._outcome(method, arguments), protocol=pickle.HIGHEST_PROTOCOL)
        with self._send_lock, contextlib.suppress(OSError):  # the server is gone
            framing.send(self._end, framing.Message(request_id, payload))

    def _outcome(self, method: str, arguments: tuple[Any, ...]) -> Any:  # noqa: ANN401 - what methods return
        try:
            self._archive.prepare()
            step_back()
            return getattr(self._archive, method)(*arguments)
        except Exception as error:  # noqa: BLE001 - one request must not end the store
            logger.error("the store could not %s: %s", method, _short(error))
            return StoreError(f"The database failed: {_short(error)}")


def step_back() -> None:
    """Let the workers and the server go before this thread (on Linux; elsewhere before this process)."""
    os.setpriority(os.PRIO_PROCESS, 0, NICENESS)


def _short(error: Exception) -> str:
    """The database's own first line, without the statement and its values."""
    cause = getattr(error, "orig", None) or error
    return (str(cause).strip().splitlines() or [type(cause).__name__])[0][:200]


def main(file_descriptor: int) -> None:
    """Open the database that the first request names, and serve."""
    end = socket.socket(fileno=file_descriptor)
    end.setblocking(True)
    first = framing.receive(end)
    if first is not None:
        Service(end, Archive(pickle.loads(first.payload))).serve()


if __name__ == "__main__":
    logging.basicConfig(format="%(asctime)s %(levelname)s store %(process)d: %(message)s")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the closing link ends us
    with contextlib.suppress(ConnectionError):  # the server is gone
        main(int(sys.argv[1]))
