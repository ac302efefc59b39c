"""The server's clock, and how far a participant's is from it, estimated as NTP does (RFC 5905, section 8).

The server asks at `sent_ms`, the browser replies with its own time, and the reply arrives at `received_ms`.
If both ways took equally long, the browser's time was that of the midpoint. The exchange with the shortest
round trip can be the least wrong: by half of its round trip at most.
"""

from __future__ import annotations

import time
from collections import deque
from typing import NamedTuple

WINDOW = 8
"""Exchanges that count; clocks drift, so older ones say little."""


class Exchange(NamedTuple):
    """One question and its reply: what to add to the browser's clock, and the round trip, milliseconds."""

    offset_ms: float
    round_trip_ms: float


class ClockOffset:
    """The estimate for one browser. One thread adds to it; any thread may read it."""

    def __init__(self) -> None:
        self._exchanges: deque[Exchange] = deque(maxlen=WINDOW)

    def add(self, sent_ms: float, browser_ms: float, received_ms: float) -> None:
        """Add an exchange: `browser_ms` is on the browser's clock, the others are on the server's."""
        midpoint_ms = (sent_ms + received_ms) / 2
        self._exchanges.append(Exchange(midpoint_ms - browser_ms, received_ms - sent_ms))

    @property
    def offset_ms(self) -> float | None:
        """What to add to the browser's clock to get the server's; None before the first exchange."""
        best = min(tuple(self._exchanges), key=lambda exchange: exchange.round_trip_ms, default=None)
        return best.offset_ms if best else None

    @property
    def error_ms(self) -> float:
        """How far `offset_ms` can be off: half of the round trip, the whole of which may lie on one way."""
        return (self.round_trip_ms or 0.0) / 2

    @property
    def round_trip_ms(self) -> float | None:
        """The shortest round trip of the last exchanges."""
        return min((exchange.round_trip_ms for exchange in tuple(self._exchanges)), default=None)


def now_ms() -> float:
    """The server's wall clock, in milliseconds since 1970."""
    return 1000 * time.time()
