"""The short form of what the fault suite does to that in which Mien stores what it records, and its jobs."""

from __future__ import annotations

from tests.faults.outcome import check
from tests.faults.recording import SLOW_MACHINE
from tests.faults.scenarios import disk, large_room, postgresql, redis

SECONDS = 9.0
SAMPLES = 100_000


def test_what_is_recorded_on_a_full_disk_waits_and_is_stored_once_there_is_room() -> None:
    check(disk.run(SECONDS, SLOW_MACHINE))


def test_what_is_recorded_while_postgresql_is_gone_waits_and_is_stored() -> None:
    check(postgresql.run_stopped(3.0, slower=10))


def test_jobs_wait_while_redis_is_gone_and_the_recording_does_not() -> None:
    check(redis.run(SECONDS, SLOW_MACHINE))


def test_a_room_with_many_samples_is_shown_exported_and_recorded_into() -> None:
    check(large_room.run(SAMPLES, slower=10))
