"""The page for files while the server is away for a moment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser import files_page as files
from tests.helpers.serving import Server

NewPage = Callable[..., Page]

SHOW, DELETE = ".file-buttons >> text=Show", ".file-buttons >> text=Delete"


@pytest.fixture
def page(server: Server, still_browser: Browser, new_page: NewPage) -> Page:
    expect.set_options(timeout=files.TIMEOUT_MS)
    page = new_page(still_browser, locale="en")
    files.open_files(page, server)
    return page


def test_results_are_shown_once_the_server_is_back(page: Page, tmp_path: Path) -> None:
    page.route("**/reach_server.js", answer_no_question)
    files.choose(page, files.write_photo(tmp_path / "portrait.png"))
    page.wait_for_selector("#files-problem:text-is('The server cannot be reached.')")
    assert page.get_attribute(SHOW, "aria-pressed") == "false"
    page.unroute("**/reach_server.js")
    page.click(SHOW)
    files.wait_for_results(page)
    assert page.is_hidden("#files-problem")


def answer_no_question(route: Route) -> None:
    if route.request.method == "HEAD":
        route.abort()
    else:
        route.continue_()


def test_a_file_that_could_not_be_deleted_can_still_be_looked_at(page: Page, tmp_path: Path) -> None:
    files.choose(page, files.write_clip(tmp_path / "clip.mp4", seconds=1))
    files.wait_for_results(page)
    page.route("**/api/v1/jobs/*", lambda route: route.abort())
    page.click(DELETE)
    page.click("#confirm-yes")
    page.wait_for_selector("#files-problem:has-text('could not be reached')")
    page.unroute("**/api/v1/jobs/*")
    page.click(SHOW)
    files.wait_for_results(page)
    page.wait_for_function("() => document.getElementById('video').readyState >= 2")
    assert page.evaluate("document.getElementById('video').src").startswith("blob:")
    assert "annotated copy" not in page.inner_text("#result-note")
