"""The stylesheets: each thing is described in one place, whichever of them a page loads."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from webapp.config import PROJECT_ROOT

STYLESHEETS = PROJECT_ROOT / "static" / "css"

PAGES = {
    "live": ("base", "live"),
    "room": ("base", "live", "sheet", "forms", "room"),
    "embed": ("base", "live", "sheet", "forms", "room", "embed"),
    "board": ("base", "sheet", "dashboard"),
    "about": ("base", "sheet", "forms", "about"),
    "reference": ("base", "sheet", "forms", "reference"),
    "files": ("base", "sheet", "forms", "live", "files"),
}
"""What each kind of page loads."""

COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
AT_RULE = re.compile(r"@[^{};]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}")
"""Media queries repeat selectors on purpose."""


def selectors(name: str) -> list[str]:
    text = AT_RULE.sub("", COMMENT.sub("", (STYLESHEETS / f"{name}.css").read_text()))
    return [" ".join(rule.split()) for rule in re.findall(r"([^{}]+)\{[^{}]*\}", text)]


@pytest.mark.parametrize("page", PAGES)
def test_no_page_loads_two_rules_of_the_same_selectors(page: str) -> None:
    counts = Counter(selector for name in PAGES[page] for selector in selectors(name))
    assert counts["[hidden]"] == 1, "the rules are read"
    assert [selector for selector, count in counts.items() if count > 1] == []
