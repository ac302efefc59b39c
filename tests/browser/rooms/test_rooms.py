"""A session in real browsers: one host and three participants with cameras, from the link to the data."""

from __future__ import annotations

import csv
import io
import json
import re
import time
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, WebSocket

from tests.browser import live, videos
from tests.browser.room_pages import MARKERS, join, make_room, open_menu, open_new_room, sign_in
from tests.helpers.room_client import CLOCK_ERROR_S, api, export, make_room_in_two_languages, rows
from tests.helpers.room_client import make_room as make_api_room
from tests.helpers.serving import Server
from webapp.export.codebook import EXPORT_NAMES
from webapp.export.snapshot import MARKER_REACH_MS

NewPage = Callable[..., Page]
Launch = Callable[..., Browser]

RECORDED_S = 20

EDGE_FRAMES = 2
"""How many frames a page has at the server at a time. Two workers may finish them out of turn, so as many
may be in doubt at either end of a recording."""

ANSWER = re.compile(r"43(?P<ack>\d+)(?P<result>.*)", re.DOTALL)
"""Engine.IO message (4), Socket.IO acknowledgement (3)."""


def tile(alias: str) -> str:
    """The selector of somebody's tile."""
    return f".tile:has(.tile-alias:text-is('{alias}'))"


def analysed_frames(page: Page) -> list[float]:
    """The capture times of the frames of a page, not opened yet, that get a result, in the results' order.

    The list fills as they come.
    """
    sent_s: dict[str, float] = {}
    analysed_s: list[float] = []

    def note_sent(payload: str | bytes) -> None:
        event = live.FRAME_EVENT.match(payload) if isinstance(payload, str) else None
        if event:
            sent_s[event["ack"]] = json.loads(event["meta"])["captured_ms"] / 1000

    def note_answer(payload: str | bytes) -> None:
        answer = ANSWER.match(payload) if isinstance(payload, str) else None
        if answer and answer["ack"] in sent_s and '"faces"' in answer["result"]:
            analysed_s.append(sent_s[answer["ack"]])

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", note_sent)
        socket.on("framereceived", note_answer)

    page.on("websocket", listen)
    return analysed_s


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def nearest(times_s: list[float], time_s: float) -> int:
    return min(range(len(times_s)), key=lambda index: abs(times_s[index] - time_s))


def check_samples(samples: list[dict[str, str]], analysed_s: dict[str, list[float]]) -> None:
    """Each result of the recording has its row, in order, with probabilities that sum to 1."""
    times_s = [seconds(row["timestamp"]) for row in samples]
    assert times_s == sorted(times_s)
    assert times_s[-1] - times_s[0] > RECORDED_S / 2
    assert {row["alias"] for row in samples} == set(analysed_s)
    for alias, frames_s in analysed_s.items():
        rows = [row for row in samples if row["alias"] == alias]
        rows.sort(key=lambda row: int(row["frame"]))  # in the results' order: two workers may be out of turn
        assert [int(row["frame"]) for row in rows] == list(range(len(rows)))
        captured_s = [seconds(row["captured"]) for row in rows]
        rows_of = [nearest(frames_s, at_s) for at_s in captured_s]
        assert captured_s == pytest.approx([frames_s[index] for index in rows_of], abs=1e-3)
        assert len(set(rows_of)) == len(rows_of), "no frame twice"
        first_s, last_s = captured_s[0] + CLOCK_ERROR_S, captured_s[-1] - CLOCK_ERROR_S
        inside = range(min(rows_of) + EDGE_FRAMES, max(rows_of) + 1 - EDGE_FRAMES)
        certain = {index for index in inside if first_s < frames_s[index] < last_s}
        assert certain <= set(rows_of), "a row for each frame"
    for row in samples:
        if row["alias"] == "Cleo":
            assert row["face_id"] == row["happiness"] == ""
            continue
        for prefix in ("", "smooth_"):
            total = sum(float(row[prefix + name]) for name in EXPORT_NAMES.values())
            assert total == pytest.approx(1, abs=1e-4)
        assert abs(float(row["clock_offset"])) < CLOCK_ERROR_S


def check_marked(rows: list[dict[str, str]], marked_s: float, analysed_s: dict[str, list[float]]) -> None:
    """One row of each participant has the marker: that of the frame at the time of the marker.

    A busy machine may have analyzed none of somebody's frames around that time.
    """
    nearest_s = {
        alias: min(abs(at_s - marked_s) for at_s in times_s) for alias, times_s in analysed_s.items()
    }
    reach_s, aliases = MARKER_REACH_MS / 1000, [row["alias"] for row in rows]
    assert len(set(aliases)) == len(aliases)
    assert {alias for alias, away_s in nearest_s.items() if away_s < reach_s - CLOCK_ERROR_S} <= set(aliases)
    for row in rows:
        assert abs(seconds(row["captured"]) - marked_s) < nearest_s[row["alias"]] + CLOCK_ERROR_S


def test_a_session_from_the_link_to_the_data(
    room_server: Server, launch: Launch, new_page: NewPage, tmp_path: Path
) -> None:
    host = new_page(launch(), viewport={"width": 1280, "height": 800})
    sign_in(host, room_server)
    link = make_room(host)
    shown = {"Anna": [(64, 0, 1.0)], "Ben": [(0, 0, 0.9)], "Cleo": []}
    people: dict[str, Page] = {}
    analysed_s: dict[str, list[float]] = {}
    for alias, places in shown.items():
        video = videos.write_still(tmp_path / f"{alias}.mjpeg", *places)
        people[alias] = new_page(launch(video))
        analysed_s[alias] = analysed_frames(people[alias])
        join(people[alias], link, alias)
    for alias in ("Anna", "Ben"):
        host.wait_for_selector(f"{tile(alias)} .tile-name:text-is('Happy')")
    host.wait_for_selector(f"{tile('Cleo')} .tile-status:has-text('No face')")
    facts = "Valence [+]0[.][0-9][0-9] · [0-9]+/s · [0-9,]+ ms"
    host.wait_for_selector(f"{tile('Anna')} .tile-facts:text-matches('{facts}')")
    assert host.locator("video").count() == 0, "no video of anybody on the board"

    host.click("#record")
    host.wait_for_selector("#room-state:has-text('Recording')")
    people["Anna"].wait_for_selector("#recording:visible")
    pressed_s: dict[str, tuple[float, float]] = {}
    for key, label in MARKERS.items():
        host.wait_for_timeout(1000 * RECORDED_S / 3)
        before_s = time.time()
        host.locator("body").press(key)
        host.wait_for_selector(f"#last-marker:has-text('{label}')")
        pressed_s[label] = before_s, time.time()
    host.wait_for_timeout(1000 * RECORDED_S / 3)
    host.click("#record")
    host.wait_for_selector("#room-state:has-text('Open')")
    host.wait_for_selector("#waiting:text-is('0')")
    stored = int(host.inner_text("#stored").replace(",", ""))

    with host.expect_download() as download:
        host.click("#export")
    with zipfile.ZipFile(download.value.path()) as archive:
        samples = list(csv.DictReader(io.StringIO(archive.read("samples.csv").decode())))
        markers = list(csv.DictReader(io.StringIO(archive.read("markers.csv").decode())))
    check_samples(samples, analysed_s)
    assert len(samples) == stored
    assert [marker["label"] for marker in markers] == list(MARKERS.values())
    for marker in markers:
        marked_s, (before_s, after_s) = seconds(marker["timestamp"]), pressed_s[marker["label"]]
        assert before_s - CLOCK_ERROR_S < marked_s < after_s + CLOCK_ERROR_S
        check_marked([row for row in samples if row["marker"] == marker["label"]], marked_s, analysed_s)
    assert {row["marker"] for row in samples} == {"", *MARKERS.values()}

    open_menu(people["Ben"])
    people["Ben"].click("#withdraw")
    assert "cannot be undone" in people["Ben"].inner_text("#withdraw-dialog")
    people["Ben"].click("#withdraw-confirm")
    people["Ben"].wait_for_selector('[data-screen="erased"]', state="visible")
    people["Ben"].wait_for_timeout(500)
    assert people["Ben"].is_hidden("#withdraw-dialog"), "a deletion that worked is not said to have failed"
    people["Cleo"].click("#stop")
    people["Cleo"].wait_for_selector('[data-screen="left"]', state="visible")
    host.wait_for_function("() => document.querySelectorAll('.tile').length === 1")
    host.click("summary:has-text('More')")
    host.click("#close-room")
    host.click("#confirm-yes")
    people["Anna"].wait_for_selector('[data-screen="closed"]', state="visible")
    host.wait_for_selector("#room-state:has-text('Closed')")


def test_who_declines_sends_and_stores_nothing(
    room_server: Server, launch: Launch, still_browser: Browser, new_page: NewPage
) -> None:
    host = new_page(launch())
    sign_in(host, room_server)
    link = make_room(host)
    page = new_page(still_browser)
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    page.goto(link)
    page.click("#join")  # without the tick: the browser asks for it
    assert page.is_visible('[data-screen="start"]')
    page.click("#decline")
    page.wait_for_selector('[data-screen="declined"]', state="visible")
    page.wait_for_timeout(500)
    assert sockets == []
    assert page.evaluate("document.getElementById('video').srcObject") is None
    assert host.is_visible("#nobody")


def test_a_reload_brings_the_same_participant_back(
    room_server: Server, launch: Launch, still_browser: Browser, new_page: NewPage
) -> None:
    host = new_page(launch())
    sign_in(host, room_server)
    link = make_room(host)
    page = new_page(still_browser)
    join(page, link, "Dora")
    page.reload()
    assert page.input_value("#alias") == "Dora"
    join(page, link, "Dora")
    host.wait_for_selector(".tile .tile-name:text-is('Happy')")
    assert host.locator(".tile").count() == 1


def test_a_neutral_baseline_that_the_host_asks_for_is_shown_on_page_and_board(
    room_server: Server, launch: Launch, still_browser: Browser, new_page: NewPage
) -> None:
    host = new_page(launch())
    sign_in(host, room_server)
    link = make_room(host)
    page = new_page(still_browser)
    join(page, link, "Emil")
    host.wait_for_selector(".tile .tile-name:text-is('Happy')")
    host.click("#ask-baselines")
    page.wait_for_selector("#neutral:has-text('Please keep a neutral face')")
    host.wait_for_selector(".tile-relative:has-text('Recording baseline')", timeout=120_000)
    host.wait_for_selector(".tile-relative:has-text('Close to neutral')", timeout=120_000)
    page.wait_for_selector("#compare:not([hidden])", state="attached")
    live.wait_for_label(page, "Happy")
    open_menu(page)
    page.click("#compare")
    page.wait_for_selector("#readout-name:text-is('Neutral')")


def test_a_room_may_keep_results_from_its_participants(
    room_server: Server, launch: Launch, still_browser: Browser, new_page: NewPage
) -> None:
    host = new_page(launch())
    sign_in(host, room_server)
    open_new_room(host)
    host.uncheck("[name=show_results]")
    link = make_room(host)
    page = new_page(still_browser)
    join(page, link, "Finn")
    host.wait_for_selector(".tile .tile-name:text-is('Happy')")
    assert page.is_hidden(".panel") and page.is_hidden("#overlay")


def session_state(page: Page) -> str:
    return page.inner_text("#session")


def test_a_participant_is_told_what_happens_now_and_who_sees_it(
    room_server: Server, still_browser: Browser, new_page: NewPage
) -> None:
    room = make_api_room(room_server, video=True)
    page = new_page(still_browser)
    join(page, f"{room_server.url}/r/{room}", "Gina", information="What this is.")
    page.wait_for_selector("#session[data-state='idle']")
    assert "Not recording" in session_state(page) and "sees your video" in session_state(page)
    api(room_server, "POST", f"/rooms/{room}/recording", {"state": "started"})
    page.wait_for_selector("#session[data-state='recording']")
    assert page.is_visible("#recording")
    page.click("#pause")
    page.wait_for_selector("#session[data-state='paused']")
    assert "does not see you" in session_state(page) and page.is_hidden("#recording")
    page.click("#pause")
    page.wait_for_selector("#session[data-state='recording']")


def test_the_consent_names_the_language_of_the_text_that_was_shown(
    room_server: Server, still_browser: Browser, new_page: NewPage
) -> None:
    room = make_room_in_two_languages(room_server)
    page = new_page(still_browser, locale="en-GB")
    page.goto(f"{room_server.url}/r/{room}")
    page.select_option("#information-language", "de")
    assert page.is_visible("text=Was das ist.") and page.is_hidden("text=What this is.")
    page.fill("#alias", "Kim")
    page.check("#consent")
    page.click("#join")
    page.wait_for_selector("#my-alias:has-text('Kim')")
    people = rows(export(room_server, room)["participants.csv"])
    assert [(one["alias"], one["consent_language"]) for one in people] == [("Kim", "de")]
