from __future__ import annotations

import threading

import pytest

from webapp.accounts import rate_limits
from webapp.accounts.rate_limits import AttemptLimit, client_of
from webapp.errors import TooManyAttemptsError


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def allowed(limit: AttemptLimit, address: str, tries: int) -> int:
    count = 0
    for _ in range(tries):
        try:
            limit.begin(address)
        except TooManyAttemptsError:
            continue
        count += 1
    return count


def test_an_address_has_its_attempts_again_in_the_next_window() -> None:
    clock = Clock()
    limit = AttemptLimit(3, window_s=60.0, clock=clock)
    assert allowed(limit, "192.0.2.1", 5) == 3
    assert allowed(limit, "192.0.2.2", 5) == 3
    clock.now_s += 60.0
    assert allowed(limit, "192.0.2.1", 5) == 3


def test_an_attempt_that_was_right_does_not_count() -> None:
    limit = AttemptLimit(1)
    for _ in range(20):
        limit.begin("192.0.2.1")
        limit.give_back("192.0.2.1")
    assert allowed(limit, "192.0.2.1", 2) == 1


def test_many_at_once_are_no_way_around_it() -> None:
    limit, begun = AttemptLimit(10), []
    together = threading.Barrier(40)

    def attempt() -> None:
        together.wait()
        begun.append(allowed(limit, "192.0.2.1", 1))

    threads = [threading.Thread(target=attempt) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(begun) == 10


def test_however_many_addresses_come_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "MAX_ADDRESSES", 100)
    limit = AttemptLimit(1)
    for number in range(1000):
        limit.begin(f"10.0.{number // 256}.{number % 256}")
    assert len(limit._counts) <= 100
    assert allowed(limit, "10.0.3.231", 1) == 0, "the newest are kept"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
    ],
)
def test_a_network_of_ipv6_counts_as_one_client(one: str, other: str, same: bool) -> None:
    assert (client_of(one) == client_of(other)) is same
