"""Turns at the workers, by the time that was used."""

from __future__ import annotations

from collections import Counter

import pytest

from webapp.analysis.turns import EXPECTED_S, MAX_EXPONENT, MEMORY_S, Turns


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def served(turns: Turns, clock: Clock, durations_s: dict[str, float], for_s: float) -> Counter[str]:
    """How often each owner had a turn at one worker, with all of them always waiting."""
    line, end_s = list(durations_s), clock.now_s + for_s
    count: Counter[str] = Counter()
    while clock.now_s < end_s:
        owner = str(turns.next(line))
        line.remove(owner)
        line.append(owner)
        turns.charge(owner, EXPECTED_S)
        clock.now_s += durations_s[owner]
        turns.charge(owner, durations_s[owner] - EXPECTED_S)
        count[owner] += 1
    return count


def test_owners_whose_frames_take_as_long_have_turns_one_after_another(clock: Clock) -> None:
    turns = Turns(clock)
    assert [turns.next(line) for line in (["a", "b"], ["b", "a"])] == ["a", "b"]
    count = served(turns, clock, {"a": 0.010, "b": 0.011, "c": 0.009}, 3.0)
    assert max(count.values()) - min(count.values()) <= 1


def test_an_owner_with_large_frames_takes_no_more_than_a_fair_share_of_the_time(clock: Clock) -> None:
    durations_s = {"quick": 0.01, **{f"slow {number}": 0.3 for number in range(8)}}
    count = served(Turns(clock), clock, durations_s, 60.0)
    quick_s = count["quick"] * durations_s["quick"]
    slow_s = [count[owner] * durations_s[owner] for owner in durations_s if owner != "quick"]
    assert quick_s > 0.4 * max(slow_s)
    assert max(slow_s) - min(slow_s) < 1.0, "the others share the rest"


def test_what_was_used_long_ago_counts_no_more(clock: Clock) -> None:
    turns = Turns(clock)
    turns.charge("a", 10.0)
    assert turns.next(["a", "b"]) == "b"
    clock.now_s += 10 * MEMORY_S
    assert turns.next(["a", "b"]) == "a"


def test_nobody_is_put_at_a_disadvantage_when_weights_are_reckoned_anew(clock: Clock) -> None:
    turns = Turns(clock)
    for _ in range(int(10 * MAX_EXPONENT * MEMORY_S)):
        clock.now_s += 0.5
        for owner in ("a", "b"):
            turns.charge(owner, 0.01)
        assert turns.next(["a", "b"]) == "a"
        assert turns.next(["b", "a"]) == "b"


def test_owners_who_are_gone_are_forgotten(clock: Clock) -> None:
    turns = Turns(clock)
    for number in range(1000):
        turns.charge(number, 0.1)
    clock.now_s += 1.1 * MAX_EXPONENT * MEMORY_S
    turns.charge("new", 1.0)
    assert list(turns._used) == ["new"]
