from __future__ import annotations

import numpy as np
import pytest

from webapp.analysis.detection_scheduler import SECOND_LOOK_INTERVAL_S, DetectionScheduler, Search


def plans(seconds: float, rate: float, tracking: bool, has_spare_capacity: bool) -> list[Search]:
    """What is searched in the frames of a camera."""
    search = DetectionScheduler()
    return [
        search.next_detection(float(now_s), tracking, has_spare_capacity)
        for now_s in np.arange(0, seconds, 1 / rate)
    ]


def test_the_first_frame_is_searched() -> None:
    busy, spare = (
        DetectionScheduler().next_detection(0.0, tracking=False, has_spare_capacity=spare)
        for spare in (False, True)
    )
    assert busy == Search(detect=True, tile=None, second_look=False)
    assert spare == Search(detect=True, tile=1, second_look=True)


def test_newcomers_are_looked_for_a_few_times_a_second_and_tiles_in_between() -> None:
    seen = plans(10, rate=15, tracking=True, has_spare_capacity=True)
    assert 20 <= sum(search.detect for search in seen) <= 26
    tiles = [search.tile for search in seen if search.tile is not None]
    assert tiles == list(range(1, len(tiles) + 1))


@pytest.mark.parametrize("rate", [8, 10, 15, 30])
def test_six_tiles_are_searched_within_a_second(rate: float) -> None:
    seen = plans(1.0, rate, tracking=True, has_spare_capacity=True)
    assert sum(search.tile is not None for search in seen) >= 6


def test_no_frame_of_a_quick_camera_has_both_a_scan_and_a_tile() -> None:
    seen = plans(10, rate=30, tracking=True, has_spare_capacity=True)[1:]
    assert not any(search.detect and search.tile is not None for search in seen)
    assert sum(search.tile is not None for search in seen) >= 60


@pytest.mark.parametrize("has_spare_capacity", [True, False])
def test_without_a_face_every_frame_is_searched(has_spare_capacity: bool) -> None:
    seen = plans(10, 15, tracking=False, has_spare_capacity=has_spare_capacity)
    assert all(search.detect for search in seen)


def test_a_busy_server_searches_less_no_tiles_and_not_twice() -> None:
    seen = plans(10, rate=15, tracking=True, has_spare_capacity=False)
    assert sum(search.detect for search in seen) == 15
    assert all(search.tile is None and not search.second_look for search in seen)


@pytest.mark.parametrize("tracking", [True, False])
def test_second_looks_have_a_limited_rate(tracking: bool) -> None:
    seen = plans(10, rate=15, tracking=tracking, has_spare_capacity=True)
    assert seen[0].second_look
    limit = 10 / SECOND_LOOK_INTERVAL_S
    assert limit - 2 <= sum(search.second_look for search in seen) <= limit
