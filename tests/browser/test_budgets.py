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

LOADS = 3
"""Of which the quickest counts: other tests make some of them slow, the page itself all."""


def test_the_start_page_is_small_and_loads_the_live_view_only_when_it_starts(
    server: Server, still_browser: Browser, new_page: NewPage
) -> None:
    page = new_page(still_browser)
    received = received_bytes(page)
    page.goto(server.url)
    page.wait_for_load_state("networkidle")
    of_start = received()
    assert sum(of_start.values()) < MAX_START_BYTES, of_start
    assert any(url.endswith("live-loop.avif") for url in of_start)
    assert not any("socket.io" in url for url in of_start)

    live.start(page)
    live.wait_for_label(page, "Happy")
    of_view = received()
    assert sum(of_view.values()) < MAX_VIEW_BYTES, of_view


def test_a_page_in_another_language_is_hardly_larger(
    server: Server, still_browser: Browser, new_page: NewPage
) -> None:
    page = new_page(still_browser, locale="ar")
    received = received_bytes(page)
    page.goto(server.url)
    page.wait_for_load_state("networkidle")
    assert page.get_attribute("html", "dir") == "rtl"
    assert sum(received().values()) < MAX_START_BYTES, received()


def test_the_start_page_can_be_used_soon(server: Server, still_browser: Browser, new_page: NewPage) -> None:
    def interactive_ms() -> float:
        page = new_page(still_browser)  # with an empty cache
        page.goto(server.url)
        page.wait_for_selector("[data-start]:visible")
        times = "performance.getEntriesByType('navigation')[0]"
        return float(page.evaluate(f"{times}.domContentLoadedEventEnd"))

    assert 0 < min(interactive_ms() for _ in range(LOADS)) < MAX_INTERACTIVE_MS
