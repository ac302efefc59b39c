"""Waits for what must happen, however slow the machine is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

TIMEOUT_S = 120.0
"""Generous: it only decides how soon a failure is known."""


def wait_until(condition: Callable[[], object], timeout_s: float = TIMEOUT_S) -> None:
    """Return as soon as the condition holds.

    Raises:
        AssertionError: it did not within the timeout.
    """
    end_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end_s, f"did not happen within {timeout_s:g} s"
        time.sleep(0.01)


class CountedLock:
    """A lock in place of another; `passed` is how often it was held, so that a test knows who has come by."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.passed = 0

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *error: object) -> None:
        self.passed += 1
        self._lock.release()
