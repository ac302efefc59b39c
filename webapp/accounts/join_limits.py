"""Limits to what one address, connection or participant may do: wrong codes, joins, markers.

Addresses are those that Flask names (`MIEN_PROXIES` says how many proxies to believe). A laboratory often has
one address, so limits for an address leave room for many people at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import NoReturn

from webapp.accounts.rate_limits import AttemptLimit
from webapp.accounts.shared_counts import Counts
from webapp.errors import NoSuchRoomError, TooManyAttemptsError
from webapp.metrics import count_refusal

WRONG_CODES_PER_MINUTE = 20
"""Codes without a room that one address may try, over HTTP and over Socket.IO."""

JOINS_OF_ADDRESS = 300
JOINS_OF_ADDRESS_PER_S = 1.0
"""New participants from one address: a full room of 200 and half of another at once, then one a second."""

JOINS_OF_CONNECTION = 10
JOINS_OF_CONNECTION_PER_S = 0.1
"""A browser joins once for each connection; more is a program, or somebody who changes their mind."""

MARKS = 100
MARKS_PER_S = 10.0
"""Markers of one participant: an experiment sets some in each trial, and many after a lost connection."""

MIN_SWEPT = 1000
"""With fewer buckets than this, the full ones are not searched for."""


class WrongCodes:
    """Counts codes without a room by address. Any thread may call it."""

    def __init__(self, counts: Counts | None = None) -> None:
        self._limit = AttemptLimit(WRONG_CODES_PER_MINUTE, counts=counts, name="codes")

    def refuse(self, address: str, error: NoSuchRoomError) -> NoReturn:
        """Refuse a wrong code. A right one is never counted, nor refused for the wrong ones before it.

        Raises:
            NoSuchRoomError: the error given.
            TooManyAttemptsError: there were too many of them.
        """
        self._limit.begin(address)
        raise error


class TokenBuckets:
    """A bucket of `capacity` tokens for each key, refilled by `per_s`. Any thread may call it.

    Full buckets are forgotten, so memory is bounded by the keys that are in use.
    """

    def __init__(
        self,
        capacity: float,
        per_s: float,
        clock: Callable[[], float] = time.monotonic,
        *,
        counts: Counts | None = None,
        name: str = "",
    ) -> None:
        """`counts` are those that nodes share, if there are any; there these buckets have a `name`."""
        self._capacity, self._per_s, self._clock = capacity, per_s, clock
        self._counts, self._name = counts, name
        self._buckets: dict[str, tuple[float, float]] = {}
        self._sweep_at = MIN_SWEPT
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, key: str) -> bool:
        """Take a token; False where there is none."""
        if (taken := self._take_of_all(key, 1)) is not None:
            return taken
        with self._lock:
            now_s = self._clock()
            if len(self._buckets) >= self._sweep_at:
                self._forget_full(now_s)
            tokens = self._tokens(key, now_s)
            if tokens < 1:
                return False
            self._buckets[key] = (tokens - 1, now_s)
            return True

    def give_back(self, key: str) -> None:
        """Give a token back that was taken for nothing."""
        if self._take_of_all(key, -1) is not None:
            return
        with self._lock:
            now_s = self._clock()
            self._buckets[key] = (min(self._capacity, self._tokens(key, now_s) + 1), now_s)

    def _take_of_all(self, key: str, amount: int) -> bool | None:
        """Take from the bucket of all nodes; None where this node has its own."""
        if self._counts is None:
            return None
        return self._counts.take_token(f"{self._name}:{key}", self._capacity, self._per_s, amount)

    def _tokens(self, key: str, now_s: float) -> float:
        tokens, at_s = self._buckets.get(key, (self._capacity, now_s))
        return min(self._capacity, tokens + (now_s - at_s) * self._per_s)

    def _forget_full(self, now_s: float) -> None:
        self._buckets = {
            key: bucket for key, bucket in self._buckets.items() if self._tokens(key, now_s) < self._capacity
        }
        self._sweep_at = max(MIN_SWEPT, 2 * len(self._buckets))


class Joins:
    """The joins that one address and one connection may make. Any thread may call it."""

    def __init__(self, counts: Counts | None = None) -> None:
        self._of_address = TokenBuckets(JOINS_OF_ADDRESS, JOINS_OF_ADDRESS_PER_S, counts=counts, name="joins")
        self._of_connection = TokenBuckets(JOINS_OF_CONNECTION, JOINS_OF_CONNECTION_PER_S)

    def take(self, connection: str, address: str | None) -> None:
        """Count a join before it is tried; resuming counts for no `address`.

        Raises:
            TooManyAttemptsError: there were too many.
        """
        if not self._of_connection.take(connection):
            count_refusal("joins")
            raise TooManyAttemptsError("This browser joined too often; wait ten seconds, then try again.")
        if address is not None and not self._of_address.take(address):
            self._of_connection.give_back(connection)
            count_refusal("joins")
            raise TooManyAttemptsError(
                "Too many people joined from this network at once; wait a minute, then try again."
            )

    def failed(self, connection: str, address: str | None) -> None:
        """A join that was counted failed."""
        self._of_connection.give_back(connection)
        if address is not None:
            self._of_address.give_back(address)


class Marks:
    """The markers that one participant may set. Any thread may call it."""

    def __init__(self) -> None:
        self._of_participant = TokenBuckets(MARKS, MARKS_PER_S)

    def take(self, participant_id: str) -> None:
        """Count a marker before it is set.

        Raises:
            TooManyAttemptsError: there were too many.
        """
        if not self._of_participant.take(participant_id):
            count_refusal("markers")
            raise TooManyAttemptsError(
                f"Too many markers at once; at most {MARKS_PER_S:g} a second are taken. Send this one again."
            )
