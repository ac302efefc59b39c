"""Every page in every language on a phone: no text is cut off, leaves its box, or widens the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser import live
from tests.browser.room_pages import sign_in
from tests.helpers.room_client import TOKEN, make_room
from tests.helpers.serving import Server
from webapp.app import create_app
from webapp.config import Settings
from webapp.web.catalogues import LANGUAGES

PHONE = {"width": 390, "height": 844}
SLACK_PX = 1.5
"""Edges of letters and boxes fall between pixels."""

MAY_BE_CUT = ".brand-room, .alias, .top-links > a, select, .tile-name"
"""Names that people chose: they end in an ellipsis where they are too long."""

FITS = Path(__file__).with_name("fits.js").read_text()


@dataclass(frozen=True, slots=True)
class Phones:
    """A guest's page and that of a host who signed in, and the paths that each can open."""

    guest: Page
    host: Page
    root: str
    guest_paths: tuple[str, ...]
    host_paths: tuple[str, ...]

    def speak(self, language: str) -> None:
        """Choose a language, as the menu does."""
        for page in (self.guest, self.host):
            page.context.add_cookies([{"name": "language", "value": language, "url": self.root}])


@pytest.fixture(scope="module")
def room_server() -> Iterator[Server]:
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN) as running:
        yield running


@pytest.fixture(scope="module")
def phones(
    room_server: Server, still_browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Phones]:
    app = create_app(Settings(data_dir=tmp_path_factory.mktemp("data")))
    room = make_room(room_server, video=True)
    guest, host = (_phone(still_browser).new_page() for _ in range(2))
    live.answer_frames(guest, lambda seq: live.result("surprise", seq))
    sign_in(host, room_server)
    yield Phones(
        guest,
        host,
        room_server.url,
        (*_pages(app, lambda path: not path.startswith("/host")), "/host", f"/r/{room}"),
        (*_pages(app, lambda path: path.startswith("/host")), f"/host/rooms/{room}"),
    )
    for page in (guest, host):
        page.context.close()


def _phone(browser: Browser) -> BrowserContext:
    return browser.new_context(viewport=PHONE, device_scale_factor=1, reduced_motion="reduce")  # type: ignore[arg-type]


def _pages(app: Flask, wanted: Callable[[str], bool]) -> list[str]:
    """The pages of an application that need nothing in their address."""
    client = app.test_client()
    paths = {
        rule.rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()) and not rule.arguments
    }
    return [path for path in sorted(paths) if wanted(path) and _is_page(client, path)]


def _is_page(client: FlaskClient, path: str) -> bool:
    with client.get(path) as answer:  # closes a file that is sent
        return answer.mimetype == "text/html" and answer.status_code != 404


def misfits(page: Page) -> list[str]:
    """The texts of a page that do not fit it."""
    found: list[str] = page.evaluate(FITS, [MAY_BE_CUT, SLACK_PX])
    return [f"{urlsplit(page.url).path}: {fault}" for fault in found]


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_fit_on_a_phone(phones: Phones, language: str) -> None:
    phones.speak(language)
    found = []
    for page, paths in ((phones.guest, phones.guest_paths), (phones.host, phones.host_paths)):
        for path in paths:
            page.goto(phones.root + path)
            assert page.get_attribute("html", "lang") == language.replace("_", "-"), path
            found += misfits(page)
    phones.guest.goto(phones.root)
    live.start(phones.guest)
    phones.guest.wait_for_selector("#readout[data-expression=surprise]")
    found += misfits(phones.guest)
    assert found == []


@pytest.mark.parametrize(
    ("html", "fault"),
    [
        ("<button style='width: 60px; white-space: nowrap'>Far too long for this</button>", "out of button"),
        (
            "<p style='width: 60px; overflow: hidden; white-space: nowrap'>Far too long for this</p>",
            "cut off",
        ),
        ("<p style='height: 20px; overflow: hidden'>" + "Far too long " * 30 + "</p>", "cut off"),
        ("<p style='white-space: nowrap'>" + "Far too long " * 30 + "</p>", "wider than p"),
        ("<p dir='rtl' style='white-space: nowrap'>" + "Far too long " * 30 + "</p>", "wider than p"),
        ("<p style='width: 900px'>" + "Far too long " * 9 + "</p>", "beyond the page"),
        ("<p style='width: 60px; white-space: nowrap'><b>Far too long for this</b></p>", "wider than p"),
        ("<p>" + "Far too long " * 30 + "</p>", None),
        ("<div style='overflow: auto'><p style='width: 900px'>" + "Far too long " * 20 + "</p></div>", None),
        ("<p class='alias' style='width: 60px; overflow: hidden; white-space: nowrap'>A long name</p>", None),
        ("<p hidden style='white-space: nowrap'>" + "Far too long " * 30 + "</p>", None),
    ],
)
def test_what_does_not_fit_is_found(phones: Phones, html: str, fault: str | None) -> None:
    phones.guest.goto("about:blank")
    phones.guest.set_content(f"<style>p, button {{ font: 16px sans-serif }}</style>{html}")
    found = misfits(phones.guest)
    assert (found == []) if fault is None else (fault in found[0])
