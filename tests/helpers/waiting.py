"""Waits for what must happen, however slow the machine is."""

from __future__ import annotations

import time
from collections.abc import Callable

TIMEOUT_S = 30.0
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
