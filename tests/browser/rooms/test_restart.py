"""`kill -9` in the middle of a recording, with real browsers: everybody comes back, and it goes on."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

import pytest
from playwright.sync_api import Browser, Page, WebSocket

from tests.browser.live import FRAME_EVENT
from tests.browser.room_pages import join, make_room, sign_in
from tests.helpers.room_client import CLOCK_ERROR_S, TOKEN
from tests.helpers.room_client import make_room as make_api_room
from tests.helpers.serving import Server
from webapp.export.tables import iso

NewPage = Callable[..., Page]

PEOPLE = ("Anna", "Ben")
RECORDED_S = 5.0
MIN_FRAMES = 10
"""So many of each person have to be answered before the server is killed, and again after."""
LOST_AT_MOST_S = 1.0
BACK_TIMEOUT_MS = 120_000
"""Generous: it only decides how soon a failure is known."""


@pytest.fixture
def own_server() -> Iterator[Server]:
    with Server(MIEN_WORKERS="2", MIEN_HOST_TOKEN=TOKEN) as running:
        yield running


@dataclass(frozen=True, slots=True)
class Answered:
    """When a frame was captured and when its result was there, on this machine's clock."""

    captured_ms: float
    answered_ms: float


def answered_frames(page: Page) -> list[Answered]:
    """A list that fills with a page's analysed frames; the page is not opened yet."""
    answered: list[Answered] = []

    def watch(socket: WebSocket) -> None:
        waiting: dict[str, float] = {}

        def note_sent(payload: str | bytes) -> None:
            event = FRAME_EVENT.match(payload) if isinstance(payload, str) else None
            if event:
                waiting[event["ack"]] = json.loads(event["meta"])["captured_ms"]

        def note_answer(payload: str | bytes) -> None:
            if isinstance(payload, str) and payload.startswith("43") and '"faces"' in payload:
                captured_ms = waiting.pop(payload[2 : payload.index("[")])
                answered.append(Answered(captured_ms, 1000 * time.time()))

        socket.on("framesent", note_sent)
        socket.on("framereceived", note_answer)

    page.on("websocket", watch)
    return answered


def record(host: Page, answered: dict[str, list[Answered]]) -> float:
    """Let time pass until enough frames of everybody are old enough to be stored; when it began."""
    since_ms = 1000 * time.time()
    host.wait_for_timeout(1000 * RECORDED_S)
    end_s = time.monotonic() + BACK_TIMEOUT_MS / 1000
    while min(len(answered_since(frames, since_ms)) for frames in answered.values()) < MIN_FRAMES:
        assert time.monotonic() < end_s, "no frames are answered"
        host.wait_for_timeout(200)
    return since_ms


def answered_since(frames: list[Answered], since_ms: float, until_ms: float | None = None) -> list[float]:
    """The captures from then on that were answered a second before an end, by default now."""
    end_ms = 1000 * time.time() if until_ms is None else until_ms
    in_time_ms = end_ms - 1000 * LOST_AT_MOST_S
    return [one.captured_ms for one in frames if one.captured_ms > since_ms and one.answered_ms < in_time_ms]


def exported_samples(host: Page) -> list[dict[str, str]]:
    with host.expect_download() as download:
        host.click("#export")
    with zipfile.ZipFile(download.value.path()) as archive:
        return list(csv.DictReader(io.StringIO(archive.read("samples.csv").decode())))


def test_a_killed_server_comes_back_with_the_room_its_people_and_its_recording(
    own_server: Server, still_browser: Browser, new_page: NewPage
) -> None:
    host = new_page(still_browser)
    sign_in(host, own_server)
    link = make_room(host)
    pages = {alias: new_page(still_browser) for alias in PEOPLE}
    answered = {alias: answered_frames(page) for alias, page in pages.items()}
    for alias, page in pages.items():
        join(page, link, alias)
        host.wait_for_selector(f".tile:has(.tile-alias:text-is('{alias}')) .tile-name:text-is('Happy')")
    host.click("#record")
    for page in pages.values():
        page.wait_for_selector("#recording", state="visible")
    started_ms = record(host, answered)

    os.kill(own_server.process.pid, signal.SIGKILL)
    killed_ms = 1000 * time.time()
    own_server.process.wait(10)
    for page in pages.values():
        page.wait_for_selector('[data-notice="server-lost"]', state="visible")
    own_server.start()

    for alias, page in pages.items():
        page.wait_for_selector('[data-notice="server-lost"]', state="hidden", timeout=BACK_TIMEOUT_MS)
        page.wait_for_selector("#recording", state="visible")
        host.wait_for_selector(
            f".tile:has(.tile-alias:text-is('{alias}')) .tile-name:text-is('Happy')", timeout=BACK_TIMEOUT_MS
        )
    assert host.locator(".tile").count() == len(PEOPLE)
    host.wait_for_selector("#room-state:has-text('Recording')")
    back_ms = record(host, answered)
    answered_in_time = {alias: list(frames) for alias, frames in answered.items()}
    host.click("#record")
    host.wait_for_selector("#room-state:has-text('Open')")
    host.wait_for_selector("#waiting:text-is('0')")

    samples = exported_samples(host)
    assert len({row["participant"] for row in samples}) == len(PEOPLE), "under the same participants"
    assert {row["recording"] for row in samples} == {"1"}, "the same recording"
    for alias in PEOPLE:
        rows = [row for row in samples if row["alias"] == alias]
        frames = sorted(int(row["frame"]) for row in rows)
        assert frames == list(range(len(frames))), "none twice, and numbers go on where they stopped"
        kept = Counter(row["captured"] for row in rows)
        assert set(kept.values()) == {1}
        before = answered_since(answered[alias], started_ms, killed_ms)
        after = [one.captured_ms for one in answered_in_time[alias] if back_ms < one.captured_ms]
        assert min(len(before), len(after)) >= MIN_FRAMES, "enough frames were answered to tell"
        assert {iso(at) for at in (*before, *after)} <= kept.keys(), (
            "every frame but those of the last second"
        )


def test_who_joins_while_the_server_is_away_is_told_so_and_joins_once_it_is_back(
    own_server: Server, still_browser: Browser, new_page: NewPage
) -> None:
    room = make_api_room(own_server)
    page = new_page(still_browser)
    page.goto(f"{own_server.url}/r/{room}")
    own_server.stop()
    page.fill("#alias", "Nora")
    page.check("#consent")
    page.click("#join")
    page.wait_for_selector('[data-screen="unreachable"]:has-text("The server cannot be reached")')
    assert page.evaluate("document.getElementById('video').srcObject") is None
    own_server.start()
    page.click('[data-screen="unreachable"] [data-start]')
    page.wait_for_selector("#my-alias:has-text('Nora')", timeout=BACK_TIMEOUT_MS)


def test_markers_that_were_pressed_while_the_server_was_away_are_set_with_their_times(
    own_server: Server, still_browser: Browser, new_page: NewPage
) -> None:
    host = new_page(still_browser)
    sign_in(host, own_server)
    make_room(host)
    host.keyboard.press("1")
    host.wait_for_selector("#last-marker:has-text('Film begins')")
    os.kill(own_server.process.pid, signal.SIGKILL)
    own_server.process.wait(10)
    before_s = time.time()
    host.keyboard.press("2")
    after_s = time.time()
    host.wait_for_selector("#alarm:has-text('“Film ends” will be set')")
    own_server.start()
    host.wait_for_selector("#last-marker:has-text('Film ends')", timeout=BACK_TIMEOUT_MS)
    back_s = time.time()
    host.wait_for_selector("#alarm", state="hidden")
    with host.expect_download() as download:
        host.click("#export")
    with zipfile.ZipFile(download.value.path()) as archive:
        markers = list(csv.DictReader(io.StringIO(archive.read("markers.csv").decode())))
    assert [row["label"] for row in markers] == ["Film begins", "Film ends"], "each once"
    set_s = datetime.fromisoformat(markers[1]["timestamp"]).timestamp()
    assert before_s - CLOCK_ERROR_S < set_s < after_s + CLOCK_ERROR_S < back_s
