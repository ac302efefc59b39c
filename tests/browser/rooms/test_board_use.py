"""What a host does on the board, by pointer and by keyboard, on screens of all sizes."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from tests.browser.board_page import ALL_HAPPY
from tests.browser.room_pages import join, make_room, open_new_room, sign_in
from tests.helpers.crowd import Crowd
from tests.helpers.room_client import TOKEN, ParticipantClient
from tests.helpers.serving import Server
from tests.helpers.waiting import wait_until

HEARTBEAT_MS = 19_000
"""Socket.IO misses the server after 20 s at the earliest."""

NewPage = Callable[..., Page]
Launch = Callable[..., Browser]

CUT_OFF = """
() => [document.documentElement, ...document.querySelectorAll(".tile, .board-actions, .board-line, .top")]
    .filter((box) => box.scrollWidth > box.clientWidth + 1).map((box) => box.className || box.tagName)
"""


PAINTED = """
selector => {
    const canvas = document.querySelector(selector);
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    const isOrange = (_, at) => [230, 159, 0].every((value, index) => pixels[4 * at + index] === value);
    return Array.from({ length: pixels.length / 4 }, isOrange).filter(Boolean).length > canvas.width;
}
"""
"""Whether a chart has the colour of happy, in more than a line."""


@contextmanager
def locked(server: Server) -> Iterator[None]:
    """Let nobody else write to a server's database while the block runs."""
    database = sqlite3.connect(Path(server.settings["MIEN_DATA_DIR"], "mien.sqlite"), timeout=30)
    try:
        database.execute("BEGIN IMMEDIATE")
        yield
    finally:
        database.close()


ON_SCREEN = """
() => [...document.querySelectorAll(".tile")]
    .filter((tile) => tile.getBoundingClientRect().bottom <= innerHeight).length
"""

COVERED = """
() => {
    const list = document.getElementById("tiles").getBoundingClientRect();
    const boxes = [...document.querySelectorAll(".tile")].map((tile) => tile.getBoundingClientRect());
    const area = boxes.reduce((sum, { width, height }) => sum + width * height, 0);
    return area / (list.width * (innerHeight - list.top));
}
"""
"""Which part of the space under the header the tiles cover."""


@pytest.fixture
def host(room_server: Server, launch: Launch, new_page: NewPage) -> Page:
    page = new_page(launch(), viewport={"width": 1280, "height": 800})
    sign_in(page, room_server)
    return page


@pytest.fixture(scope="module")
def empty_jpeg() -> bytes:
    return bytes(cv2.imencode(".jpg", np.full((480, 640, 3), 90, np.uint8))[1])


@pytest.fixture(scope="module")
def two_faces_jpeg(astronaut_jpeg: bytes) -> bytes:
    one = cv2.imdecode(np.frombuffer(astronaut_jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert one is not None
    return bytes(cv2.imencode(".jpg", np.hstack([one, one]))[1])


def code_of_link(link: str) -> str:
    return link.rsplit("/", 1)[1]


def test_number_keys_set_markers_again_after_one_was_typed(host: Page) -> None:
    make_room(host)
    host.focus("#marker-label")
    host.keyboard.type("Phone 1 rang")  # a number key, but in a text
    host.keyboard.press("Enter")
    host.wait_for_selector("#last-marker:has-text('Phone 1 rang')")
    host.keyboard.press("2")
    host.wait_for_selector("#last-marker:has-text('Film ends')")


def test_escape_closes_a_menu_and_gives_the_keyboard_back(host: Page) -> None:
    make_room(host)
    host.focus("summary:has-text('More')")
    host.keyboard.press("Enter")
    host.wait_for_selector("#close-room", state="visible")
    host.keyboard.press("Tab")
    host.keyboard.press("Escape")
    host.wait_for_selector("#close-room", state="hidden")
    host.wait_for_selector("summary:focus:text-is('More')")
    host.click("summary:has-text('Join')")
    host.click("h1")
    host.wait_for_selector("#join-url", state="hidden")


def test_a_closed_room_invites_nobody_and_takes_no_markers(host: Page) -> None:
    make_room(host)
    host.click("summary:has-text('More')")
    host.click("#close-room")
    host.click("#confirm-yes")
    host.wait_for_selector("#over:has-text('Nobody can join it any more')")
    for _ in ("as it was closed", "as it is opened"):
        assert host.is_hidden("#nobody") and host.is_hidden("#join-menu")
        enabled = host.locator("#marker-form :enabled").evaluate_all("all => all.map(({ id }) => id)")
        assert enabled == ["open-markers"]
        host.keyboard.press("1")
        host.click("#open-markers")
        host.wait_for_selector("#marker-list-note:has-text('No markers yet')")
        host.reload()
        host.wait_for_selector("#room-state:text-is('Closed')")
    assert host.is_hidden("#alarm")
    host.click("#over >> text=Copy room")
    host.wait_for_selector("[name=name]")
    assert host.input_value("[name=name]") == "Reading study (copy)"


def test_a_database_that_does_not_answer_is_said_until_it_does(
    room_server: Server, host: Page, astronaut_jpeg: bytes
) -> None:
    room = code_of_link(make_room(host))
    with Crowd(room_server, room, 1, [astronaut_jpeg], frames_per_s=5):
        host.click("#record")
        host.wait_for_function("() => Number(document.getElementById('stored').textContent) > 0")
        with locked(room_server):
            host.wait_for_selector("#alarm:has-text('are buffered')")
        host.wait_for_selector("#alarm", state="hidden")
        host.wait_for_selector(".tile .tile-name:text-is('Happy')")


def test_one_line_names_who_needs_a_look(
    room_server: Server, host: Page, astronaut_jpeg: bytes, empty_jpeg: bytes, two_faces_jpeg: bytes
) -> None:
    room = code_of_link(make_room(host))
    with Crowd(
        room_server, room, 4, [astronaut_jpeg, empty_jpeg, two_faces_jpeg, astronaut_jpeg], 2
    ) as crowd:
        host.wait_for_selector("#attention:text-is('No face: P2 · Several faces: P3')")
        crowd.membership[3].client.disconnect()
        host.wait_for_selector("#attention:text-is('Left: P4 · No face: P2 · Several faces: P3')")
        host.click(".tile:has(.tile-alias:text-is('P3')) summary")
        host.click(".tile:has(.tile-alias:text-is('P3')) button:text-is('Remove')")
        host.click("#confirm-yes")
        host.wait_for_selector("#attention:text-is('Left: P4 · No face: P2')")
        wait_until(lambda: crowd.membership[2].parted)
        assert crowd.membership[2].parted == [{"reason": "removed"}]


def test_removing_somebody_asks_first_and_escape_keeps_them(
    room_server: Server, host: Page, astronaut_jpeg: bytes
) -> None:
    room = code_of_link(make_room(host))
    with Crowd(room_server, room, 1, [astronaut_jpeg], 2):
        host.focus(".tile summary")
        host.keyboard.press("Enter")
        host.click(".tile button:text-is('Remove and delete data')")
        host.wait_for_selector("#confirm[open]:has-text('everything recorded about them')")
        host.keyboard.press("Escape")
        host.wait_for_selector("#confirm", state="hidden")
        host.wait_for_selector(".tile:focus-within")
        host.keyboard.press("1")
        host.wait_for_selector("#last-marker:has-text('Film begins')")
        assert host.locator(".tile").count() == 1
        host.click("summary:has-text('More')")
        host.click("#delete-room")
        host.wait_for_selector("#confirm[open]:has-text('cannot be undone: export first')")
        host.click("#confirm-yes")
        host.wait_for_selector("h1:text-is('Rooms')")


def test_a_server_that_dies_is_said_in_red_and_nothing_seems_to_be_recorded(
    still_browser: Browser, new_page: NewPage
) -> None:
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN) as server:
        host = new_page(still_browser)
        sign_in(host, server)
        make_room(host)
        host.click("#record")
        host.wait_for_selector("#room-state.is-recording")
        os.kill(server.process.pid, signal.SIGSTOP)  # no connection is closed: only silence says it
        try:
            host.wait_for_selector("#connection:has-text('Nothing is recorded now')")
            assert host.inner_text("#room-state") == "No connection"
            assert host.locator(".is-recording").count() == 0
            assert host.is_disabled("#record")
            with host.expect_websocket(timeout=HEARTBEAT_MS):
                pass  # it tries whether another server answers
        finally:
            os.kill(server.process.pid, signal.SIGCONT)
        host.wait_for_selector("#connection", state="hidden")
        host.wait_for_selector("#room-state.is-recording")


def test_a_reopened_board_has_the_minute_before(
    room_server: Server, host: Page, astronaut_jpeg: bytes
) -> None:
    room = code_of_link(make_room(host))
    host.wait_for_selector("#group-empty:has-text('No face was measured')")
    with Crowd(room_server, room, 2, [astronaut_jpeg], 2) as crowd:
        host.wait_for_function(ALL_HAPPY, arg=2)
        host.wait_for_timeout(4000)
        for one in crowd.membership:
            one.client.disconnect()
        host.wait_for_selector("#attention:text-is('Left: P1, P2')")
        host.reload()
        host.wait_for_function("() => document.querySelectorAll('.tile.is-away').length === 2")
        host.wait_for_selector("#group-empty", state="hidden")
        host.wait_for_function(PAINTED, arg="#group")
        host.wait_for_function(PAINTED, arg=".tile-canvas")


@pytest.mark.parametrize("video", [False, True], ids=["numbers", "video"])
def test_thirty_tiles_fit_on_the_screen_and_two_fill_it(
    room_server: Server, host: Page, empty_jpeg: bytes, video: bool
) -> None:
    open_new_room(host)
    host.set_checked("[name=video]", video)
    room = code_of_link(make_room(host))
    screens = [(1280, 800), (1920, 1080)]
    with Crowd(room_server, room, 2, [empty_jpeg], 0.2):
        host.wait_for_function("count => document.querySelectorAll('.tile').length === count", arg=2)
        for width, height in screens:
            host.set_viewport_size({"width": width, "height": height})
            host.wait_for_function(f"() => ({COVERED})() > 0.75")
        with Crowd(room_server, room, 28, [empty_jpeg], 0.2):
            host.wait_for_function("count => document.querySelectorAll('.tile').length === count", arg=30)
            for width, height in screens:
                host.set_viewport_size({"width": width, "height": height})
                host.wait_for_function(f"() => ({ON_SCREEN})() === 30")
                assert host.evaluate("document.getElementById('tiles').offsetTop") < height / 3


@pytest.mark.parametrize("people", [1, 13])
def test_nothing_is_cut_off(room_server: Server, host: Page, two_faces_jpeg: bytes, people: int) -> None:
    room = code_of_link(make_room(host))
    with ParticipantClient(room_server) as long:
        long.join(room, alias="A name of thirty letters or so")
        with Crowd(room_server, room, people - 1, [two_faces_jpeg], 1):
            host.wait_for_function("count => document.querySelectorAll('.tile').length === count", arg=people)
            for width, height in [(1280, 800), (1024, 768), (390, 844)]:
                host.set_viewport_size({"width": width, "height": height})
                host.wait_for_timeout(300)  # the board measures the window once it has its size
                host.wait_for_function(f"() => ({CUT_OFF})().length === 0")


def test_video_is_shown_where_everybody_was_told_and_only_while_they_are_there(
    host: Page, still_browser: Browser, new_page: NewPage
) -> None:
    open_new_room(host)
    host.check("[name=video]")
    link = make_room(host)
    page = new_page(still_browser)
    join(page, link, "Gina")
    assert "sees the pictures of your camera live" in page.inner_text(".information")
    page.wait_for_selector("#seen-live", state="visible")
    shown = "() => document.querySelector('.tile-video')?.width > 0"
    host.wait_for_function(shown)
    page.click("#pause")
    host.wait_for_selector(".tile .tile-status:has-text('No frames')")
    host.wait_for_function("() => document.querySelector('.tile-video').width === 0")
    page.click("#pause")
    host.wait_for_function(shown)
    page.click("#stop")
    host.wait_for_function("() => document.querySelectorAll('.tile').length === 0")


def test_without_the_setting_nobody_is_said_to_be_seen(
    host: Page, still_browser: Browser, new_page: NewPage
) -> None:
    link = make_room(host)
    received: list[str | bytes] = []
    host.on("websocket", lambda socket: socket.on("framereceived", lambda payload: received.append(payload)))
    host.reload()
    page = new_page(still_browser)
    join(page, link, "Hal")
    host.wait_for_selector(".tile .tile-name:text-is('Happy')")
    host.wait_for_timeout(1500)
    assert page.is_hidden("#seen-live") and host.is_hidden(".tile-video")
    events = [payload for payload in received if isinstance(payload, str)]
    assert any('["board",' in event for event in events)
    assert [event for event in events if '["video",' in event] == []
