"""The report's charts look as those of the pages do."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.helpers.serving import PROJECT_ROOT
from webapp.export.figures import style
from webapp.protocol import LABELS

STATIC = PROJECT_ROOT / "static"
EXPRESSIONS = (STATIC / "js/shared/expressions.js").read_text()
CHART_STYLE = (STATIC / "js/shared/chart_style.js").read_text()
BASE = (STATIC / "css/base.css").read_text()


def constant(name: str) -> str:
    """The value of a constant of chart_style.js, as it is written."""
    found = re.search(rf"^(?:export )?const {name} = (.+);$", CHART_STYLE, re.MULTILINE)
    assert found, name
    return found[1]


def test_expressions_have_the_colours_of_the_pages() -> None:
    written = dict(re.findall(r'^  (\w+): "(#[0-9A-F]{6})",$', EXPRESSIONS, re.MULTILINE))
    assert written == style.COLOURS
    assert tuple(style.COLOURS) == LABELS == tuple(style.HATCHES)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everything_else_has_the_colours_of_the_pages(theme: str) -> None:
    light, dark = BASE.split("@media (prefers-color-scheme: dark)")[:2]
    written = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", light if theme == "light" else dark))
    for name, colour in style.INKS[theme].items():
        assert written[name] == colour, name
    if theme == "light":
        assert {name: written[name] for name in LABELS} == {
            name: colour.lower() for name, colour in style.COLOURS.items()
        }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GRID_OPACITY", style.GRID_OPACITY),
        ("GRID_SHARES", list(style.GRID_SHARES)),
        ("GRID_WIDTH", style.GRID_WIDTH),
        ("VALENCE_WIDTH", style.VALENCE_WIDTH),
        ("MARKER_WIDTH", style.MARKER_WIDTH),
        ("FONT", f"'{style.FONT}'"),
    ],
)
def test_lines_grid_and_font_are_those_of_the_pages(name: str, value: Any) -> None:
    assert constant(name) == str(value)
