from __future__ import annotations

import time

import pytest

from webapp.jobs.record import JobRecord
from webapp.jobs.work import turns as turns_module
from webapp.jobs.work.turns import Turns


class Clock:
    """Replaces the time of the module."""

    def __init__(self) -> None:
        self.now_s = time.time()

    def time(self) -> float:
        """What it shows."""
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(turns_module, "time", made)
    return made


def jobs(owner: str, count: int, created_s: float) -> list[JobRecord]:
    return [
        JobRecord(
            f"{owner}{number}", owner, owner, "a.mp4", "video", "video/mp4", 9, created_s + number / 100
        )
        for number in range(count)
    ]


def order(waiting: list[JobRecord], clock: Clock) -> list[str]:
    """The ids of the jobs as they run, a minute each."""
    turns, ran = Turns(), []
    waiting = sorted(waiting, key=lambda job: job.created_s)
    while (job := turns.next_job(waiting)) is not None:
        waiting.remove(job)
        clock.now_s += 60
        turns.end(job)
        ran.append(job.id)
    return ran


def test_one_file_does_not_wait_for_the_fifty_of_somebody_else(clock: Clock) -> None:
    ran = order(jobs("many", 50, clock.now_s) + jobs("one", 1, clock.now_s + 5), clock)
    assert ran.index("one0") <= 2
    assert [each for each in ran if each.startswith("many")] == [f"many{number}" for number in range(50)]


def test_three_owners_alternate(clock: Clock) -> None:
    waiting = jobs("a", 3, clock.now_s) + jobs("b", 3, clock.now_s + 1) + jobs("c", 3, clock.now_s + 2)
    assert order(waiting, clock) == ["a0", "b0", "c0", "a1", "b1", "c1", "a2", "b2", "c2"]


def test_an_owner_who_sends_again_and_again_passes_nobody_over(clock: Clock) -> None:
    turns, waiting, ran = Turns(), jobs("many", 5, clock.now_s), ""
    while waiting:
        if not any(job.owner == "eager" for job in waiting):
            waiting += jobs("eager", 1, clock.now_s)
        job = turns.next_job(waiting)
        assert job is not None
        waiting.remove(job)
        clock.now_s += 60
        turns.end(job)
        ran += job.owner[0]
        if ran.count("m") == 5:
            break
    assert ran == "memememem"


def test_without_jobs_nobody_is_next() -> None:
    assert Turns().next_job([]) is None
