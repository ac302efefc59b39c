from __future__ import annotations

import numpy as np
import pytest

from webapp.analysis.detection_scheduler import DetectionScheduler

Plans = list[tuple[bool, int | None]]


def plans(seconds: float, rate: float, tracking: bool, has_spare_capacity: bool) -> Plans:
    """What is searched in the frames of a camera."""
    search = DetectionScheduler()
    return [
        search.next_detection(float(now_s), tracking, has_spare_capacity)
        for now_s in np.arange(0, seconds, 1 / rate)
    ]


def test_the_first_frame_is_searched() -> None:
    assert DetectionScheduler().next_detection(0.0, tracking=False, has_spare_capacity=False) == (True, None)
    assert DetectionScheduler().next_detection(0.0, tracking=False, has_spare_capacity=True) == (True, 1)


def test_newcomers_are_looked_for_a_few_times_a_second_and_tiles_in_between() -> None:
    seen = plans(10, rate=15, tracking=True, has_spare_capacity=True)
    assert 20 <= sum(detect for detect, _ in seen) <= 26
    tiles = [tile for _, tile in seen if tile is not None]
    assert tiles == list(range(1, len(tiles) + 1))


@pytest.mark.parametrize("rate", [8, 10, 15, 30])
def test_six_tiles_are_searched_within_a_second(rate: float) -> None:
    assert sum(tile is not None for _, tile in plans(1.0, rate, tracking=True, has_spare_capacity=True)) >= 6


@pytest.mark.parametrize("has_spare_capacity", [True, False])
def test_without_a_face_every_frame_is_searched(has_spare_capacity: bool) -> None:
    assert all(detect for detect, _ in plans(10, 15, tracking=False, has_spare_capacity=has_spare_capacity))


def test_a_busy_server_searches_less_and_no_tiles() -> None:
    seen = plans(10, rate=15, tracking=True, has_spare_capacity=False)
    assert sum(detect for detect, _ in seen) == 15
    assert all(tile is None for _, tile in seen)
