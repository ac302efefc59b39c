"""What the start page costs: how much it loads, and how soon it can be used."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Browser, Page

from tests.browser import live
from tests.browser.measuring import received_bytes
from tests.helpers.serving import Server

NewPage = Callable[..., Page]

MAX_START_BYTES = 150_000
MAX_VIEW_BYTES = 300_000

MAX_INTERACTIVE_MS = 5000
"""The goal is one second; a machine with many other tests at work gets more."""


def test_the_start_page_is_small_and_loads_the_live_view_only_when_it_starts(
    server: Server, still_browser: Browser, new_page: NewPage
) -> None:
    page = new_page(still_browser)
    received = received_bytes(page)
    page.goto(server.url)
    page.wait_for_load_state("networkidle")
    assert sum(received.values()) < MAX_START_BYTES, received
    assert any(url.endswith("live-loop.avif") for url in received)
    assert not any("socket.io" in url for url in received)

    live.start(page)
    live.wait_for_label(page, "Happy")
    assert sum(received.values()) < MAX_VIEW_BYTES, received


def test_a_page_in_another_language_is_hardly_larger(
    server: Server, still_browser: Browser, new_page: NewPage
) -> None:
    page = new_page(still_browser, locale="ar")
    received = received_bytes(page)
    page.goto(server.url)
    page.wait_for_load_state("networkidle")
    assert page.get_attribute("html", "dir") == "rtl"
    assert sum(received.values()) < MAX_START_BYTES, received


def test_the_start_page_can_be_used_soon(server: Server, still_browser: Browser, new_page: NewPage) -> None:
    page = new_page(still_browser)
    page.goto(server.url)
    page.wait_for_selector("[data-start]:visible")
    interactive_ms = page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
    assert 0 < interactive_ms < MAX_INTERACTIVE_MS
