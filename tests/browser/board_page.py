"""A room's board in a browser, with a feed that notes its updates and can fast-forward hours of them."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

from tests.browser.room_pages import sign_in
from tests.helpers.serving import Server

ALL_HAPPY = """count => document.querySelectorAll('.tile[data-expression="happy"]').length === count"""
FRAMES_SHOWN = "() => [...document.querySelectorAll('.tile-video')].filter(({ width }) => width > 0).length"


def open_board(page: Page, room_server: Server, room: str) -> None:
    """Sign in and open the board; see boardfeed.js for what the page's `boardFeed` has."""
    page.add_init_script(path=Path(__file__).with_name("boardfeed.js"))
    sign_in(page, room_server)
    page.goto(f"{room_server.url}/host/rooms/{room}")
