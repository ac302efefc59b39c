"""The list of a room's markers on the board: a host renames, moves and deletes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.embedding import milliseconds
from tests.browser.measuring import DESKTOP, OVERFLOW, RULES, faults
from tests.browser.room_pages import make_room, sign_in
from tests.helpers.room_client import api
from tests.helpers.serving import Server

NewPage = Callable[..., Page]

AS_LOCAL = """at_ms => new Date(at_ms - 60_000 * new Date(at_ms).getTimezoneOffset())
    .toISOString().slice(0, -1)"""
"""A time as a field for local times has it."""

PHONE = {"width": 390, "height": 844}


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
    host.wait_for_selector("#open-markers:focus")


def test_a_host_moves_a_marker_and_is_told_where_it_cannot_be(room_server: Server, host: Page) -> None:
    room = make_room(host).rsplit("/", 1)[1]
    host.keyboard.press("1")
    host.wait_for_selector("#last-marker:has-text('Film begins')")
    host.click("#open-markers")
    host.click(f"{row('Film begins')} button:text-is('Edit')")
    host.fill(".marker-edit input[type=datetime-local]", "2001-01-01T00:00:00.000")
    host.click(".marker-edit button:text-is('Save')")
    host.wait_for_selector("#marker-list-note:has-text('before the room was created')")
    (kept,) = listed(room_server, room)
    assert kept["history"] == []
    host.click(".marker-edit button:text-is('Cancel')")
    host.wait_for_selector(row("Film begins"))


def test_a_host_adds_a_marker_that_nobody_set_in_time(room_server: Server, host: Page) -> None:
    room = make_room(host).rsplit("/", 1)[1]
    host.keyboard.press("1")
    host.wait_for_selector("#last-marker:has-text('Film begins')")
    (begins,) = listed(room_server, room)
    host.click("#open-markers")
    host.wait_for_selector(row("Film begins"))
    host.focus("#add-marker")
    host.keyboard.press("Enter")
    host.keyboard.type("Phone rang")
    time = ".marker-edit input[type=datetime-local]"
    earlier = host.evaluate(AS_LOCAL, milliseconds(begins["time"]) - 1500)
    host.fill(time, earlier)
    host.press(time, "Enter")
    host.wait_for_selector(".marker-row:nth-of-type(2) .marker-label:text-is('Phone rang')")
    host.wait_for_selector(".marker-row .marker-edit:focus-within", state="detached")
    added = listed(room_server, room)[1]
    assert (added["label"], added["source"]) == ("Phone rang", "board")
    assert milliseconds(added["time"]) == pytest.approx(milliseconds(begins["time"]) - 1500, abs=1)

    host.click("#add-marker")
    host.keyboard.type("Now")
    host.keyboard.press("Enter")
    host.wait_for_selector(".marker-row:nth-of-type(1) .marker-label:text-is('Now')")
    host.click("#add-marker")
    host.fill(time, "2001-01-01T00:00:00.000")
    host.fill(".marker-edit input[type=text]", "Too early")
    host.press(time, "Enter")
    host.wait_for_selector("#marker-list-note:has-text('before th')")
    host.click(".marker-added button:text-is('Cancel')")
    assert len(listed(room_server, room)) == 3


def times_of(host: Page, room: str, days: Sequence[int]) -> list[str]:
    """What the list shows as the times of markers, one on each of these days of May."""
    markers = [
        {
            "id": number,
            "label": "Trial",
            "time": f"2026-05-0{day}T12:00:00.500Z",
            "source": "api",
            "history": [],
        }
        for number, day in enumerate(days)
    ]
    path = f"**/rooms/{room}/markers?*"
    host.route(path, lambda route: route.fulfill(json={"markers": markers, "more": False}))
    host.click("#open-markers")
    host.wait_for_selector(f".marker-row:nth-of-type({len(days)})")
    shown = host.locator(".marker-time").all_inner_texts()
    host.keyboard.press("Escape")
    host.unroute(path)
    return shown


def test_rows_have_the_day_where_a_room_spans_more_than_one(room_server: Server, host: Page) -> None:
    room = make_room(host).rsplit("/", 1)[1]
    one_day, two_days = times_of(host, room, [4, 4]), times_of(host, room, [4, 5])
    assert all(":00:00.500" in time and "May" not in time for time in one_day), one_day
    assert [":00:00.500" in time and "May" in time for time in two_days] == [True, True], two_days


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
    assert faults(host, RULES, "#marker-list") == ""
