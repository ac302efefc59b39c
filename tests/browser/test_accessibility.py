"""Every screen against what a program can check of WCAG 2.2 AA, contrast among it, by axe-core.

SCREENS lists them. One visit, in English and in Arabic, checks each in all MODES, and at 200%.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize

from tests.browser import files_page as files
from tests.browser import live
from tests.browser.measuring import DESKTOP, OVERFLOW, RULES
from tests.helpers.host_browser import PASSWORD
from tests.helpers.room_client import TOKEN, ParticipantClient, api
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


@dataclass(frozen=True, slots=True)
class Visit:
    """A page that walks through the screens, and what it needs: the server and a room with a participant."""

    page: Page
    server: Server
    room: str

    def open(self, path: str) -> None:
        """Load a page of the server."""
        self.page.goto(f"{self.server.url}{path}")

    def show(self, selector: str) -> None:
        """Wait for an element."""
        self.page.wait_for_selector(selector, state="visible")


@dataclass(frozen=True, slots=True)
class Screen:
    """A screen, and how to get there from the one before it."""

    name: str
    show: Callable[[Visit], None]


def opened(path: str) -> Callable[[Visit], None]:
    """Goes to a page by its address, in which ROOM is the room's code."""
    return lambda visit: visit.open(path.replace("ROOM", visit.room))


def live_view(visit: Visit) -> None:
    visit.open("/")
    live.start(visit.page)
    visit.show("#readout[data-expression='happy']")


def photo(visit: Visit) -> None:
    visit.open("/files")
    visit.page.click("#example")
    files.wait_for_results(visit.page)


def broken_file(visit: Visit) -> None:
    chosen = {"name": "broken.jpg", "mimeType": "image/jpeg", "buffer": b"\xff\xd8\xff" + bytes(2000)}
    visit.page.set_input_files("#file-input", chosen)  # type: ignore[arg-type]
    visit.show(".file[data-state='failed']")


def video(visit: Visit) -> None:
    with tempfile.TemporaryDirectory() as folder:
        visit.page.set_input_files("#file-input", files.write_clip(Path(folder) / "clip.mp4", seconds=1))
        visit.show("#result.is-video .moment")
        files.wait_for_results(visit.page)  # browsers read the file again whenever they need it


def deletion_of_a_file(visit: Visit) -> None:
    visit.page.click(".file.is-open button >> nth=1")
    visit.show("#confirm")


def consent(visit: Visit) -> None:
    visit.open(f"/r/{visit.room}")
    visit.show("#consent-form")


def participant(visit: Visit) -> None:
    consent(visit)
    visit.page.check("#consent")
    visit.page.click("#join")
    visit.show("#readout[data-expression='happy']")


def menu(visit: Visit) -> None:
    visit.page.click("#session-menu summary")
    visit.show("#withdraw")


def withdraw(visit: Visit) -> None:
    visit.page.click("#withdraw")
    visit.show("#withdraw-dialog")


def keep_taking_part_then_leave(visit: Visit) -> None:
    visit.page.click("#withdraw-cancel")
    visit.page.click("#stop")
    visit.show("[data-screen='left']")


def ending(name: str) -> Callable[[Visit], None]:
    """Shows a screen at which a session ends."""

    def show(visit: Visit) -> None:
        visit.page.evaluate(
            """name => document.querySelectorAll('[data-screen]')
                .forEach((screen) => { screen.hidden = screen.dataset.screen !== name; })""",
            name,
        )
        visit.show(f"[data-screen='{name}']")

    return show


def refused_sign_in(visit: Visit) -> None:
    visit.open("/host")
    visit.page.fill("[name=name]", "Nobody")
    visit.page.fill("[name=password]", "wrong")
    visit.page.click("main button.is-main")
    visit.show("[aria-invalid]")


def welcome(visit: Visit) -> None:
    visit.open(f"/host?token={TOKEN}")
    visit.show("[autocomplete='new-password']")


def rooms(visit: Visit) -> None:
    """Signs in; the screens after it are those of hosts."""
    visit.page.fill("[name=name]", f"Host {id(visit)}")
    visit.page.fill("[name=password]", PASSWORD)
    visit.page.click("main button.is-main")
    visit.page.wait_for_url("**/host")


def new_room(visit: Visit) -> None:
    visit.open("/host")
    if visit.page.locator("[name=information]").count() == 0:
        visit.page.click("a[href$='/rooms/new']")
    visit.show("[name=information]")


def new_room_for_experiments(visit: Visit) -> None:
    new_room(visit)
    visit.page.click(".form-fold > summary")
    visit.show("[name=allowed_origins]")


def embedded(name: str) -> Callable[[Visit], None]:
    """Shows a screen of the frame that experiments embed."""

    def show(visit: Visit) -> None:
        visit.open(f"/embed/{visit.room}")
        visit.show("[data-screen='alone']")
        visit.page.evaluate("document.getElementById('app').dataset.view = 'full'")
        ending(name)(visit)

    return show


def board(visit: Visit) -> None:
    visit.open(f"/host/rooms/{visit.room}")
    visit.show(".tile")


SCREENS = (
    Screen("start", opened("/")),
    Screen("about", opened("/about")),
    Screen("files", opened("/files")),
    Screen("photo", photo),
    Screen("broken file", broken_file),
    Screen("video", video),
    Screen("deletion of a file", deletion_of_a_file),
    Screen("live", live_view),
    Screen("consent", consent),
    Screen("participant", participant),
    Screen("menu", menu),
    Screen("withdraw", withdraw),
    Screen("left", keep_taking_part_then_leave),
    *(Screen(name, ending(name)) for name in ("declined", "erased", "removed", "closed", "deleted")),
    *(Screen(name, ending(name)) for name in ("denied", "missing", "in-use", "unplugged", "insecure")),
    Screen("code", opened("/r")),
    Screen("wrong code", opened("/r?code=NOPE2345")),
    Screen("not found", opened("/nothing-here")),
    Screen("sign in", opened("/host")),
    Screen("refused sign-in", refused_sign_in),
    Screen("useless link", opened("/host?token=wrong")),
    Screen("welcome", welcome),
    Screen("rooms", rooms),
    Screen("new room", new_room),
    Screen("new room for experiments", new_room_for_experiments),
    *(Screen(f"embedded: {name}", embedded(name)) for name in ("alone", "start", "live", "left", "refused")),
    Screen("board", board),
    Screen("account", opened("/host/account")),
    Screen("API", opened("/api/v1/docs")),
)


@pytest.fixture(scope="module")
def room_server() -> Iterator[Server]:
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN) as running:
        yield running


@pytest.fixture(scope="module")
def room(room_server: Server) -> str:
    study = {
        "name": "Film study",
        "information": "**What** this is.\n\n- A list",
        "settings": {"video": True},
    }
    code: str = api(room_server, "POST", "/rooms", study).json()["code"]
    return code


def faults(page: Page, rules: dict[str, Any]) -> str:
    """What axe finds wrong, with the elements and what to do about each."""
    results = Axe().run(page, options=rules)
    return str(results.generate_report()) if results.violations_count else ""


def colour_rules(mode: str) -> dict[str, Any]:
    """All rules in the first mode; in the others those of colours, as nothing else changes."""
    return RULES if mode == "light" else {"runOnly": {"type": "rule", "values": ["color-contrast"]}}


def faults_of_modes(page: Page) -> dict[str, str]:
    """What axe finds in each of MODES."""
    found = {}
    for mode, settings in MODES.items():
        page.emulate_media(reduced_motion="reduce", **settings)
        if text := faults(page, colour_rules(mode)):
            found[mode] = text
    return found


def losses_at_200_percent(page: Page) -> dict[str, str]:
    """What does not fit, cannot be reached or moves when people zoom in."""
    page.set_viewport_size(ZOOMED)
    overflow = page.evaluate(OVERFLOW)
    lost = [f"{overflow} px wider than the window"] if overflow > 0 else []
    problems = [*lost, *page.evaluate(UNREACHABLE), *page.evaluate(MOVING)]
    page.set_viewport_size(DESKTOP)
    return {"200%": "\n".join(problems)} if problems else {}


@pytest.mark.parametrize("language", ["en", "ar"])
def test_every_screen_in_every_mode_and_at_200_percent_with_reduced_motion(
    room_server: Server, room: str, still_browser: Browser, new_page: NewPage, language: Language
) -> None:
    page = new_page(still_browser, locale=language, viewport=DESKTOP, reduced_motion="reduce")
    visit = Visit(page, room_server, room)
    found: dict[str, str] = {}
    with ParticipantClient(room_server) as other:  # whom the board shows
        other.join(room)
        for screen in SCREENS:
            screen.show(visit)
            problems = {**losses_at_200_percent(page), **faults_of_modes(page)}
            found |= {f"{screen.name}, {where}": text for where, text in problems.items()}
    assert page.evaluate("document.documentElement.lang") == language
    assert found == {}, "\n\n".join(f"{name}\n{text}" for name, text in found.items())
