"""Counts in Redis, so that the limits to one address hold for all nodes together.

Where Redis does not answer, each node counts by itself: a limit is then as many times as large as there are
nodes, but nobody is locked out, and nobody is let in without a limit.
"""

from __future__ import annotations

import logging
import time
from typing import Protocol

from redis import Redis, RedisError

TIMEOUT_S = 0.5
"""For connecting and for each answer: a request must not wait for a Redis that is gone."""

PAUSE_S = 5.0
"""After a failure Redis is not asked for so long."""

PREFIX = "mien:limit:"

BUCKET = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local capacity, per_s = tonumber(ARGV[1]), tonumber(ARGV[2])
local kept = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local refilled = math.max(0, now - (tonumber(kept[2]) or now)) * per_s
local tokens = math.min(capacity, (tonumber(kept[1]) or capacity) + refilled)
local taken = tonumber(ARGV[3])
if tokens < taken then return 0 end
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens - taken), 'at', tostring(now))
redis.call('EXPIRE', KEYS[1], math.ceil(capacity / per_s) + 1)
return 1
"""
"""A bucket of tokens on Redis's clock; taking -1 gives one back."""

logger = logging.getLogger(__name__)


class Counts(Protocol):
    """Counts by keys. Any thread may call it; every method returns None where it cannot tell now."""

    def add(self, key: str, amount: int, window_s: float) -> int | None:
        """Add to the count of a key, which ends `window_s` after it began; what it is then."""

    def take_token(self, key: str, capacity: float, per_s: float, amount: int = 1) -> bool | None:
        """Take a token of a key's bucket, or give one back with the amount -1; whether there was one."""


class SharedCounts:
    """`Counts` in the Redis at a URL, whose sockets eventlet makes green; its keys name addresses."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)
        self._ask_again_s = 0.0

    def add(self, key: str, amount: int, window_s: float) -> int | None:
        """See `Counts`."""
        if time.monotonic() < self._ask_again_s:
            return None
        try:
            with self._redis.pipeline() as pipeline:
                pipeline.incrby(PREFIX + key, amount)
                pipeline.expire(PREFIX + key, max(1, round(window_s)), nx=True)
                return int(pipeline.execute()[0])
        except RedisError as error:
            self._pause(error)
            return None

    def take_token(self, key: str, capacity: float, per_s: float, amount: int = 1) -> bool | None:
        """See `Counts`."""
        if time.monotonic() < self._ask_again_s:
            return None
        try:
            return bool(self._redis.eval(BUCKET, 1, PREFIX + key, capacity, per_s, amount))
        except RedisError as error:
            self._pause(error)
            return None

    def _pause(self, error: RedisError) -> None:
        self._ask_again_s = time.monotonic() + PAUSE_S
        logger.warning("Redis does not count attempts; this node counts its own: %s", error)
