"""Two ways to take turns without a lock over everything. Standard library only; safe for any thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Generic, TypeVar

from webapp.errors import StoreError

TURN_TIMEOUT_S = 20.0
"""Longer than any call of the store, so that waiting behind a single one never fails."""

T = TypeVar("T")


class Turn:
    """`with turn:` lets one thread at a time write one thing to the store, so that writes keep their order.

    Any thread may use it. It is held while the store is asked, and therefore never guards what is in memory:
    nobody waits for it but those who change the same thing.

    Raises:
        StoreError: another change took too long.
    """

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        if not self._lock.acquire(timeout=TURN_TIMEOUT_S):
            raise StoreError("An earlier change is still under way; try again when the database answers.")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()


class SingleFlight(Generic[T]):
    """Runs a function once for all who ask at the same time, and gives each its result or its error.

    Any thread may call it. Nobody queues: whoever comes while it runs waits for that run alone.
    """

    def __init__(self, function: Callable[[], T]) -> None:
        self._function = function
        self._lock = threading.Lock()
        self._running: Future[T] | None = None

    def __call__(self) -> T:
        """The result of the run that is under way, or of a new one; raises what that raised."""
        with self._lock:
            running, is_first = self._running, self._running is None
            if running is None:
                running = self._running = Future()
        if is_first:
            self._run(running)
        return running.result()

    def _run(self, running: Future[T]) -> None:
        try:
            result = self._function()
        except BaseException as error:  # noqa: BLE001 - raised by `result()` in every waiting thread
            self._running = None
            running.set_exception(error)
        else:
            self._running = None
            running.set_result(result)
