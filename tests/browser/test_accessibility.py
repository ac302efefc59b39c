"""Every screen against what a program can check of WCAG 2.2 AA, contrast among it, by axe-core."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser import live
from tests.browser.room_pages import join, make_room, open_new_room, sign_in
from tests.helpers.room_client import TOKEN
from tests.helpers.serving import Server

NewPage = Callable[..., Page]
Scheme = Literal["dark", "light"]

RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
SCHEMES = ("dark", "light")
SIZES = {"desktop": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}


@pytest.fixture(scope="module")
def room_server() -> Iterator[Server]:
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN) as running:
        yield running


def check(page: Page) -> None:
    """What axe finds wrong, with the elements and what to do about each."""
    results = Axe().run(page, options=RULES)
    assert "color-contrast" in {rule["id"] for rule in results.response["passes"]}
    assert results.violations_count == 0, f"{page.url}\n{results.generate_report()}"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_live_page(
    server: Server, still_browser: Browser, new_page: NewPage, scheme: Scheme, size: str
) -> None:
    page = new_page(still_browser, color_scheme=scheme, viewport=SIZES[size])
    page.goto(server.url)
    check(page)
    live.start(page)
    live.wait_for_label(page, "Happy")
    check(page)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_page_without_a_camera(
    server: Server, launch: Callable[..., Browser], new_page: NewPage, scheme: Scheme
) -> None:
    page = new_page(launch(cameras=0), color_scheme=scheme)
    page.goto(server.url)
    page.click("[data-start]")
    page.wait_for_selector('[data-screen="missing"]', state="visible")
    check(page)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_pages_of_rooms_for_hosts_and_participants(
    room_server: Server, still_browser: Browser, new_page: NewPage, scheme: Scheme
) -> None:
    host = new_page(still_browser, color_scheme=scheme, viewport=SIZES["desktop"])
    host.goto(f"{room_server.url}/host")
    check(host)
    sign_in(host, room_server)
    check(host)
    open_new_room(host)
    host.click("text=Add language")
    host.wait_for_selector("[name^=translation-]")
    host.click("text=Preview")
    host.wait_for_selector("#preview")
    check(host)
    host.goto(f"{room_server.url}/host")
    link = make_room(host)
    check(host)

    participant = new_page(still_browser, color_scheme=scheme, viewport=SIZES["phone"])
    participant.goto(link)
    check(participant)
    join(participant, link, "Ada")
    host.click("#record")
    host.wait_for_selector(".tile[data-expression='happy']")
    check(participant)
    check(host)
    host.click("summary:has-text('More')")
    host.click("#delete-room")
    host.wait_for_selector("#confirm[open]")
    check(host)
    host.goto(f"{room_server.url}/host")
    check(host)
    host.goto(f"{room_server.url}/host/account")
    host.fill("section:has(#keys) [name=name]", "Key")
    host.click("text=Create API key")
    host.click("[data-dialog^=delete-key]")
    host.wait_for_selector("dialog[open]")
    check(host)
    host.goto(host.locator("[data-dialog^=delete-key]").first.evaluate("link => link.href"))
    check(host)
