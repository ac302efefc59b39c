"""The mean of a group of people, and how far it may be off."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

CONFIDENCE = 0.95

LAST_BISECTION = 60
"""Halvings after which a double has no more digits to give."""


class Estimate(NamedTuple):
    """The mean of `people` participants, and its 95% interval: None for one person alone."""

    mean: float
    low: float | None
    high: float | None
    people: int


def estimate(values: Sequence[float]) -> Estimate | None:
    """The mean of one value for each participant, with Student's t interval; None without any.

    The interval is not cut off at the ends of a scale: for few people it may go beyond them.
    """
    if not values:
        return None
    mean, people = statistics.fmean(values), len(values)
    if people == 1:
        return Estimate(mean, None, None, people)
    half = t_quantile(people - 1) * statistics.stdev(values, mean) / math.sqrt(people)
    return Estimate(mean, mean - half, mean + half, people)


@cache
def t_quantile(freedom: int, confidence: float = CONFIDENCE) -> float:
    """Student's t that a share `confidence` of the distribution lies within, of both signs."""
    low, high = 0.0, 1e6
    for _ in range(LAST_BISECTION):
        middle = (low + high) / 2
        low, high = (middle, high) if share_within(middle, freedom) < confidence else (low, middle)
    return (low + high) / 2


def share_within(t: float, freedom: int) -> float:
    """The share of Student's distribution between -t and t.

    Abramowitz & Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4.
    """
    theta = math.atan(t / math.sqrt(freedom))
    cosine, odd = math.cos(theta), freedom % 2
    term, total = (cosine if odd else 1.0), 0.0
    for step in range(2 + odd, freedom + 1, 2):
        total += term
        term *= cosine * cosine * (step - 1) / step
    if odd:
        return 2 / math.pi * (theta + math.sin(theta) * total)
    return math.sin(theta) * total
