"""File descriptors: how many the process may open, how many it needs, and whether they have run out."""

from __future__ import annotations

import logging
import resource
import time
from collections.abc import Callable

from webapp.config.limits import Limits
from webapp.metrics import count_refusal

SPARE_DESCRIPTORS = 256
"""For workers, the store, files and connections that are being refused."""

SHORTAGE_S = 5.0
"""Descriptors count as short for so long after they ran out."""

logger = logging.getLogger("mien.http")


def raise_descriptor_limit(limits: Limits) -> int:
    """Raise the soft limit of open files to what `limits` need, if the hard one allows; what it is then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = limits.connections + SPARE_DESCRIPTORS
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return needed if soft == resource.RLIM_INFINITY else soft
    allowed = needed if hard == resource.RLIM_INFINITY else min(hard, needed)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return allowed


def connection_limit(limits: Limits, descriptors: int) -> int:
    """How many connections to take: as `limits` say, or with a warning what fits beside everything else."""
    fitting = max(descriptors - SPARE_DESCRIPTORS, descriptors // 2)
    if fitting < limits.connections:
        logger.warning(
            "Only %d of MIEN_CONNECTIONS=%d connections fit, as this process may open %d files and needs %d. "
            "Raise the hard limit (LimitNOFILE in the systemd unit, `ulimit -Hn` in a shell), or set "
            "MIEN_CONNECTIONS to what is wanted.",
            *(fitting, limits.connections, descriptors, limits.connections + SPARE_DESCRIPTORS),
        )
    return min(fitting, limits.connections)


class Shortage:
    """Whether descriptors ran out a moment ago. One (green) thread notes it, any may ask."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until_s = 0.0
        self._is_announced = False

    def __bool__(self) -> bool:
        return self._clock() < self._until_s

    def begin(self, reason: str) -> None:
        """They ran out: a connection could not be accepted."""
        self._until_s = self._clock() + SHORTAGE_S
        count_refusal("descriptors")
        if not self._is_announced:
            self._is_announced = True
            logger.error("no connection can be accepted at the moment: %s", reason)

    def accepted(self) -> None:
        """A connection was accepted; says so where that was impossible until a moment ago."""
        if self._is_announced and not self:
            self._is_announced = False
            logger.warning("connections are accepted again")


SHORTAGE = Shortage()
"""The process's own, as descriptors are."""
