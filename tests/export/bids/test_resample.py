"""Uneven frames become samples at a fixed rate."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from webapp.export.bids.resample import Resampler

Frame = tuple[float, float | None]


def resampled(frames: Sequence[Frame], span_s: float, rate_hz: int = 10) -> list[list[float | None]]:
    resampler = Resampler(span_s, rate_hz)
    samples = []
    for at_s, value in frames:
        samples += list(resampler.add(at_s, None if value is None else [value]))
    return [[*sample, *[None] * (2 - len(sample))] for sample in [*samples, *resampler.finish(1)]]


def test_there_is_a_sample_for_every_step_of_the_recording_and_one_for_its_start() -> None:
    assert resampled([], 0.35) == [[None, None]] * 4


def test_a_sample_is_the_mean_of_the_frames_around_it() -> None:
    frames = [(0.06, 1.0), (0.1, 3.0), (0.14, 5.0), (0.16, 9.0)]
    assert resampled(frames, 0.2) == [[None, None], [1.0, 3.0], [1.0, 9.0]]


def test_between_near_frames_values_are_interpolated_and_between_far_ones_missing() -> None:
    near = resampled([(0.0, 0.0), (0.4, 1.0)], 0.4)
    assert [value for _, value in near] == pytest.approx([0.0, 0.25, 0.5, 0.75, 1.0])
    assert [share for share, _ in near] == [1.0, None, None, None, 1.0]
    far = resampled([(0.0, 0.0), (0.6, 1.0)], 0.6)
    assert [value for _, value in far] == [0.0, *[None] * 5, 1.0]


def test_nothing_is_interpolated_over_a_frame_without_a_face() -> None:
    found = resampled([(0.0, 0.0), (0.2, None), (0.4, 1.0)], 0.4)
    assert found == [[1.0, 0.0], [None, None], [0.0, None], [None, None], [1.0, 1.0]]


def test_a_sample_says_how_many_of_its_frames_show_a_face() -> None:
    assert resampled([(0.1, 2.0), (0.11, None), (0.12, 4.0), (0.13, None)], 0.1)[1] == [0.5, 3.0]


def test_frames_at_the_very_end_belong_to_the_last_sample() -> None:
    assert resampled([(0.1, 1.0), (0.17, 3.0)], 0.1) == [[None, None], [1.0, 2.0]]
