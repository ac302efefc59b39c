"""Limits that hold for all nodes together, in a real Redis; without it each node counts by itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.helpers.redis import RedisServer, running_redis
from tests.helpers.waiting import wait_until
from webapp.accounts import shared_counts
from webapp.accounts.join_limits import TokenBuckets
from webapp.accounts.rate_limits import AttemptLimit
from webapp.accounts.shared_counts import SharedCounts
from webapp.errors import TooManyAttemptsError

ADDRESS = "192.0.2.7"


@pytest.fixture
def redis(monkeypatch: pytest.MonkeyPatch) -> Iterator[RedisServer]:
    """A Redis that is not given up because the machine is busy."""
    monkeypatch.setattr(shared_counts, "TIMEOUT_S", 30.0)
    with running_redis() as running:
        yield running


def test_attempts_at_two_nodes_count_together(redis: RedisServer) -> None:
    a, b = (AttemptLimit(3, counts=SharedCounts(redis.url), name="sign-ins") for _ in "ab")
    for node in (a, b, a):
        node.begin(ADDRESS)
    with pytest.raises(TooManyAttemptsError):
        b.begin(ADDRESS)
    b.begin("192.0.2.8")


def test_an_attempt_that_was_right_is_given_back_at_all_nodes(redis: RedisServer) -> None:
    a, b = (AttemptLimit(1, counts=SharedCounts(redis.url), name="sign-ins") for _ in "ab")
    a.begin(ADDRESS)
    a.give_back(ADDRESS)
    b.begin(ADDRESS)


def test_limits_of_different_names_do_not_count_together(redis: RedisServer) -> None:
    counts = SharedCounts(redis.url)
    AttemptLimit(1, counts=counts, name="sign-ins").begin(ADDRESS)
    AttemptLimit(1, counts=counts, name="bearers").begin(ADDRESS)


def test_the_window_of_attempts_ends(redis: RedisServer) -> None:
    counts = SharedCounts(redis.url)
    assert counts.add("key", 1, 60) == 1
    assert 0 < counts._redis.ttl("mien:limit:key") <= 60
    counts.add("key", 1, 1000)
    assert counts._redis.ttl("mien:limit:key") <= 60, "it is not prolonged"


def test_a_bucket_is_that_of_all_nodes_and_is_refilled(redis: RedisServer) -> None:
    a, b = (TokenBuckets(2, 0.001, counts=SharedCounts(redis.url), name="joins") for _ in "ab")
    assert a.take(ADDRESS)
    assert b.take(ADDRESS)
    assert not a.take(ADDRESS)
    b.give_back(ADDRESS)
    assert a.take(ADDRESS)
    fast = TokenBuckets(1, 1000, counts=SharedCounts(redis.url), name="fast")
    assert fast.take(ADDRESS)
    wait_until(lambda: fast.take(ADDRESS))


def test_a_clock_that_is_set_back_does_not_empty_a_bucket(redis: RedisServer) -> None:
    counts = SharedCounts(redis.url)
    buckets = TokenBuckets(3, 0.001, counts=counts, name="joins")
    assert buckets.take(ADDRESS)
    (key,) = counts._redis.keys("mien:limit:*")
    counts._redis.hincrbyfloat(key, "at", 1800)
    assert buckets.take(ADDRESS)
    assert float(counts._redis.hget(key, "tokens") or 0) == pytest.approx(1, abs=0.1)


def test_without_redis_each_node_counts_by_itself_and_nobody_is_locked_out(
    redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    a, b = (AttemptLimit(2, counts=SharedCounts(redis.url), name="sign-ins") for _ in "ab")
    redis.stop()
    for node in (a, a, b, b):
        node.begin(ADDRESS)
    for node in (a, b):
        with pytest.raises(TooManyAttemptsError):
            node.begin(ADDRESS)
    assert "this node counts its own" in caplog.text
