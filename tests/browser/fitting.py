"""Which texts of a page do not fit it, as it is loaded and in the states that its scripts bring it into."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page

PHONE = {"width": 390, "height": 844}
SLACK_PX = 1.5
"""Edges of letters and boxes fall between pixels."""

MAY_BE_CUT = """.brand-room, .alias, .top-links > a, select, .tile-name, .board-line h1, .last-marker,
    .is-dense .tile-status-word, .is-dense .tile-relative"""
"""Names that people chose, which end in an ellipsis where they are too long, and what small tiles say: a line
above them says it in full."""

STATES = Path(__file__).with_name("states")
FITS = (STATES / "fits.js").read_text()

IN_EACH = """async ([limits, given]) => {
    const found = [];
    const tools = {
        check: (state) => found.push(...(FITS)(limits).map((fault) => `${state}: ${fault}`)),
        load: (module) => import(`/static/js/${module}.js`),
        frame: () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
        pause: () => new Promise((done) => setTimeout(done, 0)),
        screens: () => [...document.querySelectorAll('[data-screen]')].map(({ dataset }) => dataset.screen),
        show: (name) => document.querySelectorAll('[data-screen]')
            .forEach((screen) => { screen.hidden = screen.dataset.screen !== name; }),
    };
    await (STATES)(tools, given);
    return found;
}"""
"""Brings a page into state after state. Its own modules write what it says there, as they do in use."""


def misfits(page: Page) -> list[str]:
    """The texts of a page that do not fit it."""
    return _named(page, page.evaluate(FITS, [MAY_BE_CUT, SLACK_PX]))


def misfits_in_states(page: Page, states: str, given: object = None) -> list[str]:
    """The same for each state that a file of `states` brings the page into; `given` is for that file."""
    script = IN_EACH.replace("FITS", FITS.strip()).replace("STATES", (STATES / f"{states}.js").read_text())
    return _named(page, page.evaluate(script, [[MAY_BE_CUT, SLACK_PX], given]))


def _named(page: Page, found: list[Any]) -> list[str]:
    return [f"{urlsplit(page.url).path}: {fault}" for fault in found]
