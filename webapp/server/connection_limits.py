"""The limits of one connection and of one address. Plain data, without sockets or threads.

A `Budget` limits what a connection sends. One unit is the cost of a small websocket message to the event
loop, some 50 microseconds; a camera that sends 30 frames of 40 kB per second spends 80 of its 1,000 units per
second. `Connections` limits how many connections are open, in total and per address.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Iterable
from typing import Protocol

UNITS_PER_S = 1000.0
BURST_UNITS = 2000.0

BYTES_PER_UNIT = 1 << 16
TEXT_BYTES_PER_UNIT = 1 << 11
"""Text is JSON: a megabyte of brackets takes 15 ms to parse. Events have some hundred bytes."""

MAX_TEXT_BYTES = 1 << 20
"""The largest text message."""

EVENT_UNITS = 40.0
"""An event other than a frame costs half a millisecond or more: it sets up a Flask request."""

BAD_PACKET_UNITS = 40.0

OVER_BUDGET_TIMEOUT_S = 10.0
"""A connection over its budget is read more slowly; one that stays over it for this long is closed."""


class OverBudgetError(Exception):
    """The connection stayed over its budget although it was slowed down."""


class Budget:
    """A token bucket: it holds BURST_UNITS at most and refills at UNITS_PER_S.

    budget.charge(1.0)
    sleep(budget.wait_s())      # 0.0 within the budget

    `balance` is what was left at the last charge, negative for a debt; only `wait_s` reads the clock and
    refills it. Not locked: it belongs to the (green) thread that reads the connection.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.balance = BURST_UNITS
        self._filled_s = clock()
        self._over_since_s: float | None = None

    def charge(self, units: float) -> None:
        """Spend units; the balance may become negative."""
        self.balance -= units

    def wait_s(self) -> float:
        """The seconds until any debt is paid off.

        Raises:
            OverBudgetError: the budget has not recovered for OVER_BUDGET_TIMEOUT_S.
        """
        now_s = self._clock()
        self.balance = min(BURST_UNITS, self.balance + UNITS_PER_S * (now_s - self._filled_s))
        self._filled_s = now_s
        if self.balance >= BURST_UNITS / 2:
            self._over_since_s = None
        if self.balance >= 0:
            return 0.0
        if self._over_since_s is None:
            self._over_since_s = now_s
        if now_s - self._over_since_s > OVER_BUDGET_TIMEOUT_S:
            raise OverBudgetError
        return -self.balance / UNITS_PER_S


def message_units(length: int, text: bool = False) -> float:
    """The cost of a message, or of a fragment, with so many bytes."""
    return 1.0 + length / (TEXT_BYTES_PER_UNIT if text else BYTES_PER_UNIT)


class Connection(Protocol):
    """An open connection, as `Connections` sees it."""

    @property
    def idle(self) -> bool:
        """Whether it is between requests, so that nothing is lost if it is closed."""

    def evict(self) -> None:
        """Close it now, and remove it from its `Connections`."""


class Connections:
    """The open connections: at most `limit`, and `per_address` from one address.

    When a limit is reached, the connection that has been idle longest is closed: one of the same address if
    that has reached its limit, otherwise any. So whoever holds silent connections shuts nobody out.
    Not locked: green threads call it, which do not interrupt it.
    """

    def __init__(self, limit: int, per_address: int) -> None:
        self._limit = limit
        self._per_address = min(per_address, limit)
        self._open: dict[str, dict[Connection, None]] = {}
        self._count = 0

    def enter(self, address: str, connection: Connection) -> bool:
        """Add a connection; False if the limits are reached and no idle connection can be closed."""
        key = network_of(address)
        if len(self._open.get(key, ())) >= self._per_address and not _evict_idle(self._open[key]):
            return False
        if self._count >= self._limit and not self._evict_from_largest():
            return False
        self._open.setdefault(key, {})[connection] = None
        self._count += 1
        return True

    def leave(self, address: str, connection: Connection) -> None:
        """Remove a connection that has ended; does nothing if it is unknown."""
        key = network_of(address)
        of_address = self._open.get(key, {})
        if connection in of_address:
            del of_address[connection]
            self._count -= 1
        if not of_address:
            self._open.pop(key, None)

    def rest(self, address: str, connection: Connection) -> None:
        """A connection became idle: it moves behind those that have been idle for longer."""
        of_address = self._open.get(network_of(address), {})
        if connection in of_address:
            del of_address[connection]
            of_address[connection] = None

    def _evict_from_largest(self) -> bool:
        return any(_evict_idle(group) for group in sorted(self._open.values(), key=len, reverse=True))


def network_of(address: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 network of an IPv6 host."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))


def _evict_idle(connections: Iterable[Connection]) -> bool:
    """Close the first idle one; return whether there was one."""
    oldest = next((connection for connection in connections if connection.idle), None)
    if oldest is None:
        return False
    oldest.evict()
    return True
