"""Where the labels of markers go above a figure: in lanes, so that none covers another."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

FONT_SIZE = 11.0
LANE_HEIGHT = 16.0
MAX_LANES = 4
MAX_CHARACTERS = 24
OFFSET, GAP = 3.0, 5.0
"""From a marker's line to its label, and at least between two labels, in units of the SVG."""

NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters that no XML file may hold, so no SVG either; a program's marker may."""

NARROW, WIDE = frozenset("fijlrtI.,:;|!'()[] "), frozenset("mwMW@%…—&")


class Flag(NamedTuple):
    """A label: the line that it belongs to is at `x`; lane 0 is next to the plot."""

    x: float
    left: float
    lane: int
    text: str
    width: float


class Flags(NamedTuple):
    """The labels of a figure. Where the texts do not fit, they are the markers' numbers, from 1.

    Numbers that do not fit either are left out; their lines are drawn.
    """

    placed: list[Flag]
    is_numbered: bool

    @property
    def lanes(self) -> int:
        """How many lanes there are."""
        return max((flag.lane + 1 for flag in self.placed), default=0)


def lay_out(markers: Sequence[tuple[float, str]], width: float) -> Flags:
    """Place the labels of markers, each given as where it is across a figure of this width, and its text.

    A label stands to the right of its line, at the right edge to the left of it. They are placed from right
    to left, each in the lowest lane with room, so that no line runs through a label on its way up.
    """
    return _laid_out(tuple(markers), width)


@lru_cache(maxsize=16)
def _laid_out(markers: tuple[tuple[float, str], ...], width: float) -> Flags:
    """The same; the figures of a recording have the same markers, and there may be thousands."""
    texts = [(x, _shortened(label)) for x, label in markers]
    if sum(text_width(text) + GAP for _, text in texts) <= MAX_LANES * (width + GAP):
        placed = _placed(texts, width)
        if len(placed) == len(markers):
            return Flags(placed, is_numbered=False)
    return Flags(
        _placed([(x, str(number)) for number, (x, _) in enumerate(markers, 1)], width), is_numbered=True
    )


def text_width(text: str, size: float = FONT_SIZE) -> float:
    """At most how wide a text is in a sans-serif font, in the unit of `size`."""
    return size * sum(map(_em, text))


def _placed(texts: Sequence[tuple[float, str]], width: float) -> list[Flag]:
    placed: list[Flag] = []
    near: list[Flag] = []  # those placed that any further label may still meet
    reach = OFFSET + GAP + max((text_width(text) for _, text in texts), default=0.0)
    for x, text in sorted(texts, key=lambda one: -one[0]):
        needed = text_width(text)
        left = x + OFFSET if x + OFFSET + needed <= width else max(x - OFFSET - needed, 0.0)
        near = [flag for flag in near if min(flag.left, flag.x) <= x + reach]
        candidates = (Flag(x, left, lane, text, needed) for lane in range(MAX_LANES))
        free = next((flag for flag in candidates if _has_room(flag, near)), None)
        if free is not None:
            placed.append(free)
            near.append(free)
    return placed


def _has_room(flag: Flag, placed: Sequence[Flag]) -> bool:
    """Whether a label covers no other one, and neither's line runs through the other."""
    return not any(
        _overlap(flag, other) if flag.lane == other.lane else _is_crossed(*sorted((flag, other), key=_lane))
        for other in placed
    )


def _overlap(one: Flag, other: Flag) -> bool:
    return one.left < other.left + other.width + GAP and other.left < one.left + one.width + GAP


def _is_crossed(lower: Flag, upper: Flag) -> bool:
    return lower.left < upper.x < lower.left + lower.width


def _lane(flag: Flag) -> int:
    return flag.lane


def _shortened(label: str) -> str:
    text = " ".join(NOT_XML.sub(" ", label).split())
    return text if len(text) <= MAX_CHARACTERS else f"{text[: MAX_CHARACTERS - 1].rstrip()}…"


def _em(character: str) -> float:
    """The width of a character in a bold sans-serif font, in its size; generous, as fonts differ."""
    if unicodedata.combining(character):
        return 0.0
    if unicodedata.east_asian_width(character) in "WF":
        return 1.05
    if character in NARROW:
        return 0.42
    if character in WIDE:
        return 1.05
    return 0.8 if character.isupper() else 0.66
