"""Every screen against what a program can check of WCAG 2.2 AA, contrast among it, by axe-core.

One visit, in English and in Arabic, checks each of tests/browser/screens in all MODES, and at 200%; what is
`more` of a screen that is there already, in one of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from tests.browser.measuring import CONTRAST, DESKTOP, OVERFLOW, RULES, faults
from tests.browser.screens.guests import GUEST_SCREENS
from tests.browser.screens.hosts import HOST_SCREENS
from tests.browser.screens.visit import Screen, Visit
from tests.helpers.room_client import ParticipantClient, api
from tests.helpers.serving import Server

NewPage = Callable[..., Page]

MODES: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "forced_colors": "none"},
    "dark": {"color_scheme": "dark", "forced_colors": "none"},
    "forced colors": {"color_scheme": "dark", "forced_colors": "active"},
}
"""What people can set in their system; a page follows without being loaded again."""

ZOOMED: ViewportSize = {"width": 640, "height": 400}
"""1280 x 800 at 200%."""

UNREACHABLE = """() => [...document.querySelectorAll('a[href], button, input, select, summary, textarea')]
    .filter((control) => control.checkVisibility() && !control.disabled && control.type !== 'hidden')
    .filter((control) => {
        control.scrollIntoView({ block: 'center', inline: 'nearest' });
        const { left, right, width, bottom, top } = control.getBoundingClientRect();
        return width > 0 && (left < -1 || right > innerWidth + 1 || bottom < 0 || top > innerHeight);
    })
    .map((control) => control.outerHTML.slice(0, 120))"""
"""Controls that are not on the screen even after scrolling to them."""

MOVING = """() => document.getAnimations().filter((one) => one.playState === 'running')
    .map((one) => one.animationName ?? one.transitionProperty)"""

Language = Literal["en", "ar"]

MODE_OF_MORE: dict[Language, str] = {"en": "light", "ar": "forced colors"}


ROOMS: dict[str, dict[str, object]] = {
    "ROOM": {"information": "**What** this is.\n\n- A list", "settings": {"video": True}},
    "PANEL": {
        "information": "What this is.",
        "information_translations": {"ar": "ما هذا"},
        "settings": {"language": "en", "return_url": "https://panel.example/end", "completion_code": "C123"},
    },
    "EMPTY": {"information": "What this is."},
    "CLOSED": {"information": "What this is."},
}


@pytest.fixture(scope="module")
def rooms_by_name(room_server: Server) -> dict[str, str]:
    """The codes of ROOMS."""
    made = {
        name: api(room_server, "POST", "/rooms", {"name": "Film study", **given}).json()["code"]
        for name, given in ROOMS.items()
    }
    api(room_server, "POST", f"/rooms/{made['CLOSED']}/close")
    return made


def faults_of_modes(page: Page) -> dict[str, str]:
    """What axe finds in each of MODES: by all rules in the first, in the others by that of colours."""
    found = {}
    for mode, settings in MODES.items():
        page.emulate_media(reduced_motion="reduce", **settings)
        if text := faults(page, RULES if mode == "light" else CONTRAST):
            found[mode] = text
    return found


def faults_of_more(page: Page, language: Language) -> dict[str, str]:
    """What axe finds in the language's one mode."""
    mode = MODE_OF_MORE[language]
    page.emulate_media(reduced_motion="reduce", **MODES[mode])
    text = faults(page, RULES)
    return {mode: text} if text else {}


def losses_at_200_percent(page: Page) -> dict[str, str]:
    """What does not fit, cannot be reached or moves when people zoom in."""
    page.set_viewport_size(ZOOMED)
    overflow = page.evaluate(OVERFLOW)
    lost = [f"{overflow} px wider than the window"] if overflow > 0 else []
    problems = [*lost, *page.evaluate(UNREACHABLE), *page.evaluate(MOVING)]
    page.set_viewport_size(DESKTOP)
    return {"200%": "\n".join(problems)} if problems else {}


def problems_of(visit: Visit, screen: Screen, language: Language) -> dict[str, str]:
    """Where a screen has problems, and which; a server that stands still for it goes on."""
    try:
        screen.show(visit)
        visit.page.wait_for_load_state()  # with its style sheets
        if screen.is_more:
            return faults_of_more(visit.page, language)
        return {**losses_at_200_percent(visit.page), **faults_of_modes(visit.page)}
    finally:
        visit.thaw()


@pytest.mark.parametrize("language", ["en", "ar"])
def test_every_screen_in_every_mode_and_at_200_percent_with_reduced_motion(
    room_server: Server,
    rooms_by_name: dict[str, str],
    still_browser: Browser,
    new_page: NewPage,
    language: Language,
) -> None:
    page = new_page(still_browser, locale=language, viewport=DESKTOP, reduced_motion="reduce")
    visit = Visit(page, room_server, rooms_by_name)
    found: dict[str, str] = {}
    with ParticipantClient(room_server) as other:  # whom the board shows
        other.join(visit.room)
        for screen in (*GUEST_SCREENS, *HOST_SCREENS):
            problems = problems_of(visit, screen, language)
            found |= {f"{screen.name}, {where}": text for where, text in problems.items()}
    assert page.evaluate("document.documentElement.lang") == language
    assert found == {}, "\n\n".join(f"{name}\n{text}" for name, text in found.items())
