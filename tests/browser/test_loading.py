"""What each page loads: the modules of what it shows, and no others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page

from tests.browser import live
from tests.browser.room_pages import join, make_room, open_new_room, sign_in
from tests.helpers.crowd import Crowd
from tests.helpers.room_client import make_room as make_room_by_api
from tests.helpers.serving import Server

Launch = Callable[..., Browser]
NewPage = Callable[..., Page]

MAX_BOARD_MODULES = 28
MAX_BOARD_BYTES = 150_000
MAX_FILES = 16
ROOT = Path(__file__).parents[2]


def loaded_files(page: Page) -> list[str]:
    """A list that fills with the scripts and style sheets that a page, not opened yet, asks for."""
    loaded: list[str] = []

    def note(url: str) -> None:
        path = urlsplit(url).path
        if path.endswith((".js", ".css")):
            loaded.append(path.removeprefix("/static/"))

    page.on("request", lambda request: note(request.url))
    return loaded


def folders(paths: list[str]) -> set[str]:
    """The folders under static/js that modules come from."""
    return {path.split("/")[1] for path in paths if path.startswith("js/")}


def test_the_board_loads_only_what_it_shows(room_server: Server, launch: Launch, new_page: NewPage) -> None:
    page = new_page(launch())
    sign_in(page, room_server)
    loaded = loaded_files(page)
    make_room(page)
    modules = [path for path in loaded if path.endswith(".js")]
    assert len(modules) == len(set(modules)) <= MAX_BOARD_MODULES, modules
    assert folders(loaded) == {"pages", "dashboard", "shared"}


def test_the_board_of_thirty_people_is_open_within_its_budget(
    room_server: Server, launch: Launch, new_page: NewPage, astronaut_jpeg: bytes
) -> None:
    """Everything that comes over the network until thirty tiles show their last minute, headers included.

    Of the updates, which come four times a second, the largest: the first one shows everybody.
    """
    room = make_room_by_api(room_server)
    page = new_page(launch())
    sign_in(page, room_server)
    received: list[float] = []
    updates: list[float] = []
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    session.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    session.on(
        "Network.webSocketFrameReceived",
        lambda event: (updates if is_update(event) else received).append(frame_bytes(event)),
    )
    with Crowd(room_server, room, 30, [astronaut_jpeg], frames_per_s=0.5):
        page.goto(f"{room_server.url}/host/rooms/{room}")
        page.wait_for_function("() => document.querySelectorAll('.tile').length === 30")
    assert 30_000 < sum(received) + max(updates, default=0) < MAX_BOARD_BYTES


def is_update(event: dict[str, Any]) -> bool:
    """Whether a WebSocket message has the state of a board."""
    return bool(event["response"]["payloadData"].startswith('42["board"'))


def frame_bytes(event: dict[str, Any]) -> float:
    """The length of a WebSocket message; binary ones are told in base64."""
    response = event["response"]
    length = len(response["payloadData"])
    return length if response["opcode"] == 1 else 3 * length / 4


def test_pages_of_forms_load_no_module_at_all(room_server: Server, launch: Launch, new_page: NewPage) -> None:
    page = new_page(launch())
    sign_in(page, room_server)
    open_new_room(page)
    loaded = loaded_files(page)
    page.reload()
    assert set(loaded) == {"css/base.css", "css/sheet.css", "css/forms.css"}


def test_the_live_page_loads_nothing_of_rooms(
    server: Server, still_browser: Browser, new_page: NewPage
) -> None:
    page = new_page(still_browser)
    loaded = loaded_files(page)
    page.goto(server.url)
    live.start(page)
    live.wait_for_label(page, "Happy")
    assert folders(loaded) == {"pages", "live", "shared"}


def test_a_participants_page_loads_nothing_of_the_board(
    room_server: Server, launch: Launch, still_browser: Browser, new_page: NewPage
) -> None:
    host = new_page(launch())
    sign_in(host, room_server)
    link = make_room(host)
    page = new_page(still_browser)
    loaded = loaded_files(page)
    join(page, link, "Ida")
    assert folders(loaded) == {"pages", "live", "room", "shared"}


def test_no_folder_of_scripts_or_templates_holds_more_files_than_a_reader_can_survey() -> None:
    parents = [path.parent for root in ("static/js", "templates") for path in (ROOT / root).rglob("*.*")]
    assert max(parents.count(folder) for folder in parents) <= MAX_FILES
