"""The short form of the hostile frames; `make faults FAULTS=hostile` fires a hundred thousand."""

from __future__ import annotations

import random

import pytest

from tests.faults.hostile.shots import KINDS, shot
from tests.faults.outcome import check
from tests.faults.scenarios.hostile_frames import run

SHOTS = 200
SLOW_MACHINE_RATE, SMALL_SAMPLE_GROWTH = 0.2, 1.0
"""So short an attack measures neither well; `make faults` has the true limits."""


@pytest.mark.slow
def test_two_hundred_hostile_frames_cost_nobody_else_anything() -> None:
    check(run(SHOTS, random.randrange(1 << 32), SLOW_MACHINE_RATE, SMALL_SAMPLE_GROWTH, window_s=5.0))


def test_a_shot_can_be_fired_again_by_its_seed_and_number() -> None:
    assert [shot(7, number) for number in range(50)] == [shot(7, number) for number in range(50)]
    assert shot(7, 1).data != shot(8, 1).data


def test_every_kind_of_shot_is_made() -> None:
    assert {shot(1, number).kind for number in range(600)} == set(KINDS)
