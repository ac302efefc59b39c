from __future__ import annotations

import pytest

from webapp.accounts.join_limits import (
    JOINS_OF_ADDRESS,
    JOINS_OF_CONNECTION,
    MIN_SWEPT,
    Joins,
    TokenBuckets,
    WrongCodes,
)
from webapp.errors import NoSuchRoomError, TooManyAttemptsError


class Clock:
    """Time that the test moves."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_a_bucket_refills_by_its_rate_up_to_its_capacity() -> None:
    clock = Clock()
    buckets = TokenBuckets(capacity=3, per_s=0.5, clock=clock)
    assert [buckets.take("a") for _ in range(4)] == [True, True, True, False]
    assert buckets.take("b"), "each key has its own"
    clock.now_s += 2
    assert [buckets.take("a") for _ in range(2)] == [True, False]
    clock.now_s += 1000
    assert sum(buckets.take("a") for _ in range(10)) == 3


def test_what_is_given_back_may_be_taken_again() -> None:
    buckets = TokenBuckets(capacity=1, per_s=0.0, clock=Clock())
    for _ in range(5):
        assert buckets.take("a")
        buckets.give_back("a")


def test_buckets_of_long_ago_are_forgotten() -> None:
    clock = Clock()
    buckets = TokenBuckets(capacity=2, per_s=1.0, clock=clock)
    for number in range(10 * MIN_SWEPT):
        clock.now_s += 0.1
        buckets.take(str(number))
    assert len(buckets) <= MIN_SWEPT


def test_a_full_room_behind_one_address_gets_in_at_once_and_a_flood_does_not() -> None:
    joins = Joins()
    for number in range(JOINS_OF_ADDRESS):
        joins.take(f"c{number}", "school")
    with pytest.raises(TooManyAttemptsError, match="wait a minute"):
        joins.take("one more", "school")
    joins.take("c", "elsewhere")
    joins.take("one who comes back", None)
    joins.failed("c0", "school")
    joins.take("one more", "school")


def test_a_connection_that_joins_again_and_again_is_told_to_wait() -> None:
    joins = Joins()
    for _ in range(JOINS_OF_CONNECTION):
        joins.take("c", "school")
    with pytest.raises(TooManyAttemptsError, match="wait ten seconds"):
        joins.take("c", None)
    joins.failed("c", "school")
    joins.take("c", "school")


def test_wrong_codes_are_counted_by_address() -> None:
    codes = WrongCodes()
    wrong = NoSuchRoomError("none")
    for _ in range(20):
        with pytest.raises(NoSuchRoomError):
            codes.refuse("a", wrong)
    with pytest.raises(TooManyAttemptsError):
        codes.refuse("a", wrong)
    with pytest.raises(NoSuchRoomError):
        codes.refuse("b", wrong)
