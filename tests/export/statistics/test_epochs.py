"""Markers divide a recording into epochs."""

from __future__ import annotations

from webapp.export.statistics.epochs import START_LABEL, epoch_at, epochs_between


def test_epochs_go_from_the_start_over_the_markers_to_the_end() -> None:
    found = epochs_between([(2.0, "film"), (5.0, "pause")], 9.0)
    assert found == [(1, START_LABEL, 0.0, 2.0), (2, "film", 2.0, 5.0), (3, "pause", 5.0, 9.0)]


def test_without_markers_there_is_one_epoch() -> None:
    assert epochs_between([], 9.0) == [(1, START_LABEL, 0.0, 9.0)]


def test_markers_at_one_time_begin_one_epoch_and_one_at_the_start_begins_the_first() -> None:
    found = epochs_between([(0.0, "film"), (3.0, "a"), (3.0, "b")], 9.0)
    assert found == [(1, "film", 0.0, 3.0), (2, "a; b", 3.0, 9.0)]


def test_a_frame_at_the_time_of_a_marker_belongs_to_the_epoch_that_it_begins() -> None:
    starts = [epoch.start_s for epoch in epochs_between([(2.0, "film")], 9.0)]
    assert [epoch_at(starts, at_s) for at_s in (0.0, 1.9999, 2.0, 9.0)] == [0, 0, 1, 1]
