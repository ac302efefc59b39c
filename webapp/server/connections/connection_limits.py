"""The limits of one connection and of one address. Plain data, without sockets or threads.

A `Budget` limits what a connection sends. One unit is the cost of a small websocket message to the event
loop, some 50 microseconds; a camera that sends 30 frames of 40 kB per second spends 170 of its 1,000 units
per second. `Connections` limits how many connections are open, in total and per address, `Handshakes` how
many an address opens a second.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from webapp.config.limits import Limits

UNITS_PER_S = 1000.0
BURST_UNITS = 2000.0

TEXT_PRICE = 32
"""Text is JSON: a megabyte of brackets takes 15 ms to parse. Events have some hundred bytes."""

MAX_TEXT_BYTES = 1 << 20
"""The largest text message."""

BAD_PACKET_UNITS = 40.0

FRAME_MESSAGES = 2
"""A frame's event and its binary part."""

OVER_BUDGET_TIMEOUT_S = 10.0
"""A connection over its budget is read more slowly; one that sends on and on is closed after this time."""

SOCKETS_AT_ONCE_S = 4.0
"""An address that was quiet may open as many Socket.IO connections at once as in so many seconds."""

MAX_ADDRESSES = 100_000
"""Whose handshakes are counted; beyond them all counts begin anew, to bound the memory."""


class OverBudgetError(Exception):
    """The connection stayed over its budget although it was slowed down."""


@dataclass(frozen=True, slots=True)
class Prices:
    """What a connection pays, in units: for any message, each byte of it, and what the message asks for.

    With the default limits an event is 40 units, as it costs half a millisecond or more: it sets up a Flask
    request. 64 kB of binary data are one.
    """

    message: float
    byte: float
    event: float
    frame: float

    @classmethod
    def of(cls, limits: Limits) -> Prices:
        """Prices with which a second's units buy what the limits allow of one thing."""
        message = UNITS_PER_S / limits.messages_per_s
        return cls(
            message=message,
            byte=UNITS_PER_S / (1e6 * limits.megabytes_per_s),
            event=UNITS_PER_S / limits.events_per_s,
            frame=max(0.0, UNITS_PER_S / limits.frames_per_s - FRAME_MESSAGES * message),
        )


DEFAULT_PRICES = Prices.of(Limits())


class Budget:
    """A token bucket: it holds BURST_UNITS at most and refills at UNITS_PER_S.

    budget.charge_message(40_000)
    sleep(budget.wait_s())      # 0.0 within the budget

    `balance` is what was left at the last charge, negative for a debt; only `wait_s` reads the clock and
    refills it. Not locked: it belongs to the (green) thread that reads the connection.
    """

    def __init__(self, prices: Prices = DEFAULT_PRICES, clock: Callable[[], float] = time.monotonic) -> None:
        self.prices = prices
        self.balance = BURST_UNITS
        self._clock = clock
        self._filled_s = clock()
        self._over_since_s: float | None = None

    def charge(self, units: float) -> None:
        """Spend units; the balance may become negative."""
        self.balance -= units

    def charge_message(self, length: int, text: bool = False) -> float:
        """Pay for a message, or a fragment, with so many bytes; what it cost."""
        prices = self.prices
        units = prices.message + length * prices.byte * (TEXT_PRICE if text else 1)
        self.balance -= units
        return units

    @property
    def is_over(self) -> bool:
        """Whether it was spent, and has not recovered since."""
        return self._over_since_s is not None

    def caught_up(self) -> None:
        """All that the client has sent was read: it does not send faster than it is read."""
        self._over_since_s = None

    def wait_s(self) -> float:
        """The seconds until any debt is paid off.

        Raises:
            OverBudgetError: for OVER_BUDGET_TIMEOUT_S the budget has not recovered and the client not waited.
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

    def __len__(self) -> int:
        return self._count

    def enter(self, address: str, connection: Connection) -> str | None:
        """Add a connection; the limit that forbids it, if no idle connection can be closed."""
        key = network_of(address)
        if len(self._open.get(key, ())) >= self._per_address and not _evict_idle(self._open[key]):
            return "connections of an address"
        if self._count >= self._limit and not self.evict_one():
            return "connections"
        self._open.setdefault(key, {})[connection] = None
        self._count += 1
        return None

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

    def evict_one(self) -> bool:
        """Close an idle connection of the address that has most of them; whether there was one."""
        return any(_evict_idle(group) for group in sorted(self._open.values(), key=len, reverse=True))


class Handshakes:
    """How many connections an address may open: `at_once`, and `per_s` after that, with TLS or Socket.IO.

    Not locked: green threads call it, which do not interrupt it.
    """

    def __init__(self, per_s: float, at_once: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_s, self._at_once, self._clock = per_s, at_once, clock
        self._left: dict[str, tuple[float, float]] = {}  # what an address had left, and when

    @classmethod
    def of_tls(cls, limits: Limits) -> Handshakes:
        """Those of TLS: a classroom opens as many at once as it may have, six to load each page."""
        return cls(limits.handshakes_per_s, max(limits.connections_per_address, limits.handshakes_per_s))

    @classmethod
    def of_sockets(cls, limits: Limits) -> Handshakes:
        """Those of Socket.IO, which cost the event loop some milliseconds each."""
        return cls(limits.handshakes_per_s, SOCKETS_AT_ONCE_S * limits.handshakes_per_s)

    def take(self, address: str) -> bool:
        """Count a handshake; False if the address has none left."""
        key, now_s = network_of(address), self._clock()
        left, at_s = self._left.get(key, (self._at_once, now_s))
        left = min(self._at_once, left + self._per_s * (now_s - at_s))
        if len(self._left) >= MAX_ADDRESSES:
            self._left.clear()
        self._left[key] = (left - 1 if left >= 1 else left), now_s
        return left >= 1


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
