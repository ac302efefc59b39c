"""The clock that leases go by: until when a node may serve rooms. See `webapp.store.nodes`."""

from __future__ import annotations

import time


def lease_clock() -> float:
    """Seconds on a clock that all processes of a machine share, and that goes on while it is suspended."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
