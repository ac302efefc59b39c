"""Means of a group have Student's interval over participants."""

from __future__ import annotations

import math

import pytest

from webapp.export.statistics.interval import estimate, share_within, t_quantile


@pytest.mark.parametrize(
    ("freedom", "quantile"),
    [(1, 12.7062), (2, 4.30265), (3, 3.18245), (9, 2.26216), (10, 2.22814), (29, 2.04523), (199, 1.97196)],
)
def test_the_quantiles_are_those_of_the_published_table(freedom: int, quantile: float) -> None:
    assert t_quantile(freedom) == pytest.approx(quantile, rel=1e-5)


def test_half_of_a_cauchy_distribution_lies_within_one() -> None:
    assert share_within(1.0, 1) == pytest.approx(0.5)


def test_the_interval_of_three_people_by_hand() -> None:
    found = estimate([0.1, 0.2, 0.6])
    assert found is not None and found.high is not None
    assert found.mean == pytest.approx(0.3)
    assert found.people == 3
    assert found.high - found.mean == pytest.approx(4.30265 * math.sqrt(0.07) / math.sqrt(3), rel=1e-5)


def test_one_person_has_a_mean_without_an_interval_and_nobody_has_neither() -> None:
    assert estimate([0.4]) == (0.4, None, None, 1)
    assert estimate([]) is None


def test_people_who_show_the_same_have_an_interval_without_width() -> None:
    assert estimate([0.25, 0.25]) == (0.25, 0.25, 0.25, 2)
