"""Limits on how often one address may try passwords, tokens, keys and codes.

An attempt counts before it is checked, so that many at once are no way around the limit; one that turns out
right is given back. Safe on threads: every method holds the lock, and none waits for anything else.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from collections.abc import Callable

from webapp.accounts.shared_counts import Counts
from webapp.errors import TooManyAttemptsError
from webapp.metrics import count_refusal

WINDOW_S = 60.0

MAX_ADDRESSES = 100_000
"""Counted at once; with more of them the oldest are forgotten, to bound the memory."""

IPV6_CLIENT_BITS = 64
"""Whoever has IPv6 has a network of this size: its addresses count as one."""


class AttemptLimit:
    """At most `limit` attempts of one address in `window_s`."""

    def __init__(
        self,
        limit: int,
        window_s: float = WINDOW_S,
        clock: Callable[[], float] = time.monotonic,
        *,
        counts: Counts | None = None,
        name: str = "",
    ) -> None:
        """`counts` are those that nodes share, if there are any; there this limit has a `name`."""
        self._counts_of_all = counts
        self._name = name
        self._limit = limit
        self._window_s = window_s
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: dict[str, tuple[float, int]] = {}  # the end of the window and the attempts in it

    def begin(self, address: str | None) -> None:
        """Count an attempt that is about to be checked.

        Raises:
            TooManyAttemptsError: the address has none left in this window.
        """
        client = client_of(address)
        if not self._count(client):
            count_refusal("attempts")
            raise TooManyAttemptsError("Too many attempts; wait a minute.")

    def give_back(self, address: str | None) -> None:
        """An attempt was right: it does not count."""
        client = client_of(address)
        if self._add_for_all(client, -1) is not None:
            return
        with self._lock:
            if client in self._counts:
                end_s, count = self._counts[client]
                self._counts[client] = end_s, max(0, count - 1)

    def _count(self, client: str) -> bool:
        """Count an attempt; whether it is within the limit."""
        if (count_of_all := self._add_for_all(client, 1)) is not None:
            return count_of_all <= self._limit
        now_s = self._clock()
        with self._lock:
            self._forget_old(now_s)
            end_s, count = self._counts.get(client, (now_s + self._window_s, 0))
            if count < self._limit:
                self._counts[client] = end_s, count + 1
            return count < self._limit

    def _add_for_all(self, client: str, amount: int) -> int | None:
        """The attempts at all nodes after this one; None where this node counts by itself."""
        if self._counts_of_all is None:
            return None
        return self._counts_of_all.add(f"{self._name}:{client}", amount, self._window_s)

    def _forget_old(self, now_s: float) -> None:
        """Drop windows that ended; they lie in the order in which they began."""
        while self._counts:
            oldest = next(iter(self._counts))
            if self._counts[oldest][0] > now_s and len(self._counts) < MAX_ADDRESSES:
                return
            del self._counts[oldest]


def client_of(address: str | None) -> str:
    """What counts as one client: an IPv4 address, or a network of IPv6."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return address or ""
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((int(parsed), IPV6_CLIENT_BITS), strict=False))
    return str(parsed)
