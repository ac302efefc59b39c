"""Labels of markers never cover each other, whatever and however many they are."""

from __future__ import annotations

import random
from itertools import combinations, permutations

import pytest

from webapp.export.figures.marker_labels import MAX_LANES, Flag, lay_out, text_width

WIDTH = 720.0
WORDS = ("film", "刺激開始", "WWWWWWWW", "a very long label of a marker, longer than any lane", "x", "Ü", "")


def collide(one: Flag, other: Flag) -> bool:
    """Whether two labels share a lane and a place in it."""
    is_apart = one.left + one.width <= other.left or other.left + other.width <= one.left
    return one.lane == other.lane and not is_apart


@pytest.mark.parametrize("count", [1, 2, 5, 12, 40, 300, 2000])
@pytest.mark.parametrize("seed", range(6))
def test_no_two_labels_collide_and_none_leaves_the_figure(count: int, seed: int) -> None:
    chance = random.Random(seed)
    places = [chance.uniform(0, WIDTH) if seed % 2 else chance.gauss(360, 4) for _ in range(count)]
    markers = [(min(max(x, 0.0), WIDTH), chance.choice(WORDS)) for x in sorted(places)]
    flags = lay_out(markers, WIDTH)
    assert flags.placed and flags.lanes <= MAX_LANES
    assert not any(collide(one, other) for one, other in combinations(flags.placed, 2))
    assert all(flag.left >= 0 and flag.left + flag.width <= WIDTH + 1e-9 for flag in flags.placed)


@pytest.mark.parametrize("count", [5, 12, 40, 300])
@pytest.mark.parametrize("seed", range(4))
def test_no_line_runs_through_the_label_of_another_marker(count: int, seed: int) -> None:
    chance = random.Random(seed)
    markers = sorted((chance.uniform(0, WIDTH), chance.choice(WORDS)) for _ in range(count))
    for one, other in permutations(lay_out(markers, WIDTH).placed, 2):
        if one.lane > other.lane:
            assert not other.left < one.x < other.left + other.width


def test_texts_are_kept_where_they_fit_and_numbers_stand_for_them_where_not() -> None:
    few = lay_out([(100.0, "film"), (110.0, "pause")], WIDTH)
    assert not few.is_numbered and {flag.text for flag in few.placed} == {"film", "pause"}
    many = lay_out([(18.0 * number, f"stimulus number {number}") for number in range(40)], WIDTH)
    assert many.is_numbered
    assert {flag.text for flag in many.placed} == {str(number) for number in range(1, 41)}


def test_a_label_at_the_right_edge_stands_to_the_left_of_its_line() -> None:
    (flag,) = lay_out([(WIDTH, "the end")], WIDTH).placed
    assert flag.left + flag.width < flag.x == WIDTH


def test_long_labels_are_shortened_and_line_breaks_are_spaces() -> None:
    (flag,) = lay_out([(0.0, "two\nlines " + 50 * "x")], WIDTH).placed
    assert flag.text.startswith("two lines xx") and flag.text.endswith("…")
    assert flag.width == text_width(flag.text)
