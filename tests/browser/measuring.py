"""What tests measure of a page: the bytes that it loads, and whether it is accessible and fits."""

from __future__ import annotations

from playwright.sync_api import Page, Response, ViewportSize

RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
"""What axe-core checks."""

DESKTOP: ViewportSize = {"width": 1280, "height": 800}

OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def received_bytes(page: Page) -> dict[str, int]:
    """A dictionary that fills with the bytes of each response to a page, not opened yet, by address."""
    received: dict[str, int] = {}

    def note(response: Response) -> None:
        received[response.url] = len(response.body())

    page.on("response", note)
    return received
