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
from datetime import datetime

import pytest
from playwright.sync_api import Browser, Page, WebSocket

from tests.browser.live import FRAME_EVENT
from tests.browser.room_pages import join, make_room, sign_in
from tests.helpers.room_client import TOKEN
from tests.helpers.serving import Server
from webapp.export.tables import iso

NewPage = Callable[..., Page]

PEOPLE = ("Anna", "Ben")
RECORDED_S = 5.0
MIN_FRAMES = 10
"""So many of each person have to be answered before the server is killed, and again after."""
LOST_AT_MOST_S = 1.0
BACK_TIMEOUT_MS = 30_000


@pytest.fixture
def own_server() -> Iterator[Server]:
    with Server(MIEN_WORKERS="2", MIEN_HOST_TOKEN=TOKEN) as running:
        yield running


def answered_captures_ms(page: Page) -> list[float]:
    """A list that fills with the capture times of a page's analysed frames; the page is not opened yet."""
    captures_ms: list[float] = []

    def watch(socket: WebSocket) -> None:
        waiting: dict[str, float] = {}

        def note_sent(payload: str | bytes) -> None:
            event = FRAME_EVENT.match(payload) if isinstance(payload, str) else None
            if event:
                waiting[event["ack"]] = json.loads(event["meta"])["captured_ms"]

        def note_answer(payload: str | bytes) -> None:
            if isinstance(payload, str) and payload.startswith("43") and '"faces"' in payload:
                captures_ms.append(waiting.pop(payload[2 : payload.index("[")]))

        socket.on("framesent", note_sent)
        socket.on("framereceived", note_answer)

    page.on("websocket", watch)
    return captures_ms


def record(host: Page, answered_ms: dict[str, list[float]]) -> float:
    """Let time pass until enough frames of everybody are old enough to be stored; when it began."""
    since_ms = 1000 * time.time()
    host.wait_for_timeout(1000 * RECORDED_S)
    end_s = time.monotonic() + BACK_TIMEOUT_MS / 1000
    while min(len(answered_since(times, since_ms)) for times in answered_ms.values()) < MIN_FRAMES:
        assert time.monotonic() < end_s, "no frames are answered"
        host.wait_for_timeout(200)
    return since_ms


def answered_since(times_ms: list[float], since_ms: float) -> list[float]:
    """The answered captures from then until those of the last second."""
    until_ms = 1000 * (time.time() - LOST_AT_MOST_S)
    return [at for at in times_ms if since_ms < at < until_ms]


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
    answered_ms = {alias: answered_captures_ms(page) for alias, page in pages.items()}
    for alias, page in pages.items():
        join(page, link, alias)
        host.wait_for_selector(f".tile:has(.tile-alias:text-is('{alias}')) .tile-name:text-is('Happy')")
    host.click("#record")
    for page in pages.values():
        page.wait_for_selector("#recording", state="visible")
    started_ms = record(host, answered_ms)

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
    back_ms = record(host, answered_ms)
    stopped_ms = 1000 * time.time()
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
        before = [at for at in answered_ms[alias] if started_ms < at < killed_ms - 1000 * LOST_AT_MOST_S]
        after = [at for at in answered_ms[alias] if back_ms < at < stopped_ms - 500]
        assert min(len(before), len(after)) >= MIN_FRAMES, "enough frames were answered to tell"
        assert {iso(at) for at in (*before, *after)} <= kept.keys(), (
            "every frame but those of the last second"
        )


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
    pressed_s = time.time()
    host.keyboard.press("2")
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
    assert abs(set_s - pressed_s) < 0.5 < back_s - pressed_s
