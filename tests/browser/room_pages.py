"""A room's pages as hosts and participants use them in a browser: sign in, create a room, join it."""

from __future__ import annotations

import time

from playwright.sync_api import Page

from tests.helpers.host_browser import PASSWORD
from tests.helpers.room_client import TOKEN
from tests.helpers.serving import Server

INFORMATION = "We study how faces move.\nNothing else."
MARKERS = {"1": "Film begins", "2": "Film ends"}
"""The marker of each number key."""


def sign_in(page: Page, room_server: Server, name: str | None = None) -> None:
    """Make an account with the host token; the page then shows the list of rooms."""
    page.goto(f"{room_server.url}/host?token={TOKEN}")
    page.fill("[name=name]", name or f"Host {time.time()}")
    page.fill("[name=password]", PASSWORD)
    page.click("button.is-main")
    page.wait_for_url("**/host")


def add_key_and_host(page: Page, room_server: Server, name: str) -> str:
    """Make a key and another host of this name; the path of the page that asks before the key is deleted."""
    page.goto(f"{room_server.url}/host/account")
    page.fill("form[action$='/hosts'] [name=name]", name)
    page.fill("form[action$='/hosts'] [name=password]", PASSWORD)
    page.click("form[action$='/hosts'] button")
    page.wait_for_selector(f"li:has-text('{name}') [data-dialog^=delete-host]")
    page.fill("form[action$='/keys'] [name=name]", name)
    page.click("form[action$='/keys'] button")
    path = page.get_attribute("[data-dialog^=delete-key]", "href")
    assert path
    return path


def open_new_room(page: Page) -> None:
    """Go from the list of rooms to the form for a new one."""
    page.click("a[href$='/rooms/new']")
    page.wait_for_selector("[name=information]")


def make_room(page: Page) -> str:
    """Make a room on the page for that; its link. The page then shows its board."""
    if not page.url.endswith("/rooms/new"):
        open_new_room(page)
    page.fill("[name=name]", "Reading study")
    page.fill("[name=information]", INFORMATION)
    page.fill("[name=marker_labels]", "\n".join(MARKERS.values()))
    page.click("text=Create room")
    page.wait_for_selector("#room-state:has-text('Open')")
    link = page.get_attribute("#join-url", "href")
    assert link
    return link


def join(page: Page, link: str, alias: str, information: str = INFORMATION) -> None:
    """Open a room's link, consent and start; the page then shows the live view."""
    page.goto(link)
    assert information in page.inner_text(".information")
    page.fill("#alias", alias)
    page.check("#consent")
    page.click("#join")
    page.wait_for_selector('[data-screen="live"]', state="visible")
    page.wait_for_selector(f"#my-alias:has-text('{alias}')")


def open_menu(page: Page) -> None:
    """Open the menu of a participant's live view."""
    page.click("#session-menu summary")
    page.wait_for_selector("#withdraw", state="visible")
