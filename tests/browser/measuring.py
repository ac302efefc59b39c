"""What tests measure of a page: the bytes that it loads, and whether it is accessible and fits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import Page, Request, ViewportSize

Rules = dict[str, Any]

RULES: Rules = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "resultTypes": ["violations"],
}
"""What axe-core checks, and that it need not list all that is well."""

CONTRAST: Rules = {**RULES, "runOnly": {"type": "rule", "values": ["color-contrast"]}}

DESKTOP: ViewportSize = {"width": 1280, "height": 800}

PAPER_PX = round((210 - 2 * 14) / 25.4 * 96)
"""The width of a page of A4 within margins of 14 mm."""

WIDER = """limit => [...document.querySelectorAll('body *')]
    .filter((element) => {
        const { left, right, width } = element.getBoundingClientRect();
        return width > 0 && (left < -0.5 || right > limit + 0.5);
    })
    .map((element) => `${element.tagName} ${element.textContent.trim().slice(0, 60)}`)"""

OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def received_bytes(page: Page) -> Callable[[], dict[str, int]]:
    """Tells the bytes, as sent, of each response so far to a page that is not open yet."""
    finished: list[Request] = []
    page.on("requestfinished", lambda request: finished.append(request))  # Playwright takes functions only
    return lambda: {request.url: request.sizes()["responseBodySize"] for request in list(finished)}


def faults(page: Page, rules: Rules, context: str = "document") -> str:
    """What axe finds wrong, with the elements and what to do about each; loaded once for each page."""
    if page.evaluate("typeof axe === 'undefined'"):
        page.evaluate(AXE_SCRIPT)
    within = "document" if context == "document" else f"document.querySelector({context!r})"
    results = AxeResults(page.evaluate(f"(rules) => axe.run({within}, rules)", rules))
    return str(results.generate_report()) if results.violations_count else ""


def wider_than_paper(page: Page) -> list[str]:
    """The elements of a page that would not be on the paper if it was printed."""
    before = page.viewport_size
    page.emulate_media(media="print")
    page.set_viewport_size({"width": PAPER_PX, "height": 1000})
    found: list[str] = page.evaluate(WIDER, PAPER_PX)
    page.emulate_media(media="screen")
    if before:
        page.set_viewport_size(before)
    return found
