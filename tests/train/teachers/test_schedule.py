from __future__ import annotations

from dataclasses import replace

import pytest

from models.train.teachers.recipe import TEACHERS
from models.train.teachers.schedule import finished_cycles, is_varied, learning_rate, side_at
from models.train.teachers.settings import TeacherSettings

SETTINGS = replace(
    TeacherSettings(),
    cycles=(10, 6),
    warmup_epochs=1.0,
    peak_learning_rate=0.1,
    sides=((0.0, 32), (0.5, 48)),
    unmixed_fraction=0.2,
)


def test_each_cycle_warms_up_to_the_peak_and_falls_to_nothing() -> None:
    assert [learning_rate(SETTINGS, epoch) for epoch in (0, 0.5, 1)] == pytest.approx([0, 0.05, 0.1])
    assert learning_rate(SETTINGS, 9.999) < 1e-6
    assert [learning_rate(SETTINGS, epoch) for epoch in (10, 11)] == pytest.approx([0, 0.1])
    assert learning_rate(SETTINGS, 15.999) < 1e-6
    assert learning_rate(SETTINGS, 5.5) == pytest.approx(0.05)


def test_faces_grow_within_each_cycle() -> None:
    sides = [side_at(SETTINGS, epoch) for epoch in range(16)]
    assert sides == [32] * 5 + [48] * 5 + [32] * 3 + [48] * 3


def test_the_end_of_each_cycle_is_neither_mixed_nor_cut_out() -> None:
    assert [epoch for epoch in range(16) if not is_varied(SETTINGS, epoch)] == [8, 9, 15]


def test_a_snapshot_is_due_when_a_cycle_ends() -> None:
    assert {epoch: finished_cycles(SETTINGS, epoch) for epoch in (1, 9, 10, 11, 16)} == {
        1: 0,
        9: 0,
        10: 1,
        11: 0,
        16: 2,
    }


def test_no_two_teachers_are_near_twins() -> None:
    assert len(TEACHERS) >= 5
    networks = {(settings.stem, settings.blocks) for settings in TEACHERS.values()}
    seeds = {settings.seed for settings in TEACHERS.values()}
    assert len(networks) == len(seeds) == len(TEACHERS)
    assert {48, 64} <= {settings.side for settings in TEACHERS.values()}
    fractions = [settings.votes_fraction for settings in TEACHERS.values()]
    assert min(fractions) == 0 < max(fractions)
