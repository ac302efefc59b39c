"""The list of a room's markers on the board: a host renames, moves and deletes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser.measuring import DESKTOP, OVERFLOW, RULES
from tests.browser.room_pages import make_room, sign_in
from tests.helpers.room_client import TOKEN, api
from tests.helpers.serving import Server

NewPage = Callable[..., Page]

PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def room_server() -> Iterator[Server]:
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN) as running:
        yield running


@pytest.fixture
def host(room_server: Server, still_browser: Browser, new_page: NewPage) -> Page:
    page = new_page(still_browser, viewport=DESKTOP)
    sign_in(page, room_server)
    return page


def listed(server: Server, room: str) -> list[dict[str, Any]]:
    markers: list[dict[str, Any]] = api(server, "GET", f"/rooms/{room}/markers").json()["markers"]
    return markers


def row(label: str) -> str:
    return f".marker-row:has(.marker-label:text-is('{label}'))"


def test_a_host_renames_and_deletes_markers_by_keyboard_and_the_board_follows(
    room_server: Server, host: Page
) -> None:
    room = make_room(host).rsplit("/", 1)[1]
    for label in ("Film begins", "Film ends"):
        host.keyboard.press({"Film begins": "1", "Film ends": "2"}[label])
        host.wait_for_selector(f"#last-marker:has-text('{label}')")
    host.focus("#open-markers")
    host.keyboard.press("Enter")
    host.wait_for_selector("#marker-list-note:has-text('2 markers')")
    host.keyboard.press("1")  # sets no marker while the list is open

    host.focus(f"{row('Film ends')} button")
    host.keyboard.press("Enter")
    host.keyboard.press("ControlOrMeta+A")
    host.keyboard.type("Film 1 ends")
    host.keyboard.press("Enter")
    host.wait_for_selector(row("Film 1 ends"))
    host.wait_for_selector("#last-marker:has-text('Film 1 ends')", state="attached")
    renamed = listed(room_server, room)[1]
    assert (renamed["label"], [one["label"] for one in renamed["history"]]) == ("Film 1 ends", ["Film ends"])
    assert renamed["time"] == renamed["history"][0]["time"], "the time was not touched"
    assert "changed" in host.inner_text(f"{row('Film 1 ends')} .marker-about")

    host.click(f"{row('Film begins')} button:text-is('Delete')")
    host.wait_for_selector("#confirm[open]:has-text('Film begins')")
    host.keyboard.press("Escape")
    host.wait_for_selector("#confirm", state="hidden")
    assert len(listed(room_server, room)) == 2, "nothing is deleted without a yes"
    host.click(f"{row('Film begins')} button:text-is('Delete')")
    host.click("#confirm-yes")
    host.wait_for_selector(row("Film begins"), state="detached")
    assert [one["label"] for one in listed(room_server, room)] == ["Film 1 ends"]
    host.keyboard.press("Escape")
    host.wait_for_selector("#marker-list", state="hidden")
    assert host.evaluate("document.activeElement.id") == "open-markers"


def test_a_host_moves_a_marker_and_is_told_where_it_cannot_be(room_server: Server, host: Page) -> None:
    room = make_room(host).rsplit("/", 1)[1]
    host.keyboard.press("1")
    host.wait_for_selector("#last-marker:has-text('Film begins')")
    host.click("#open-markers")
    host.click(f"{row('Film begins')} button:text-is('Edit')")
    host.fill(".marker-edit input[type=datetime-local]", "2001-01-01T00:00:00.000")
    host.click(".marker-edit button:text-is('Save')")
    host.wait_for_selector("#marker-list-note:has-text('before this room was made')")
    (kept,) = listed(room_server, room)
    assert kept["history"] == []
    host.click(".marker-edit button:text-is('Cancel')")
    host.wait_for_selector(row("Film begins"))


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_list_fits_and_meets_wcag(
    room_server: Server, host: Page, size: Any, scheme: Any, request: pytest.FixtureRequest
) -> None:
    room = make_room(host).rsplit("/", 1)[1]
    for number in range(30):
        label = "A label that is as long as a sentence, because people do that" if number == 3 else "Trial"
        api(room_server, "POST", f"/rooms/{room}/markers", {"label": f"{label} {number}"})
    host.set_viewport_size(size)
    host.emulate_media(color_scheme=scheme)
    host.click("#open-markers")
    host.wait_for_selector("#marker-list-note:has-text('30 markers')")
    host.click(f"{row('Trial 28')} button:text-is('Edit')")
    if folder := request.config.getoption("basetemp"):
        host.screenshot(path=f"{folder}/{scheme}-{size['width']}.png")
    assert host.evaluate(OVERFLOW) <= 0
    found = Axe().run(host, context="#marker-list", options=RULES)
    assert found.violations_count == 0, found.generate_report()
