"""Before the start: what pages say of light, size, pose and rate, and what hosts see of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from tests.browser import videos
from tests.browser.board_page import ALL_HAPPY
from tests.browser.room_pages import join, open_menu, sign_in
from tests.browser.wire import Answer, Wire, refusal
from tests.helpers.crowd import Crowd
from tests.helpers.room_client import ParticipantClient, api, make_room
from tests.helpers.serving import Server
from tests.helpers.waiting import wait_until
from tests.vision.images import ImageArray
from webapp.rooms.readiness import STATES

NewPage = Callable[..., Page]
Launch = Callable[..., Browser]

TIMEOUT_MS = 120_000
"""For what must happen; a busy machine is slow and not wrong."""

READY = dict.fromkeys(STATES, "ok")

ASSESS = """
    const { assess, SteadyReadiness, CHECKS } = await import("/static/js/room/readiness.js");
    const person = ({ width = 140, height = 170, yaw = 0, pitch = 0, roll = 0, x = 200 } = {}) =>
        ({ id: 1, box: [x, 100, width, height], pose: { yaw, pitch, roll } });
    const result = (...faces) => ({ seq: 1, width: 640, height: 480, faces, timing_ms: {} });
    const lit = (brightness, around = brightness, contrast = 40) => ({ brightness, contrast, around });
    const good = { frames_per_s: 15, light: lit(120) };
"""


OpenBoard = Callable[[str], Page]


@pytest.fixture(scope="module")
def signed_in(room_server: Server, still_browser: Browser) -> StorageState:
    """The cookies of a host, who signs in once: hashing a password takes a busy machine long."""
    page = still_browser.new_page()
    page.set_default_timeout(TIMEOUT_MS)
    sign_in(page, room_server)
    state = page.context.storage_state()
    page.close()
    return state


@pytest.fixture
def open_board(
    room_server: Server, still_browser: Browser, new_page: NewPage, signed_in: StorageState
) -> OpenBoard:
    """Open the board of a room."""

    def show(room: str) -> Page:
        page = new_page(still_browser, storage_state=signed_in, viewport={"width": 1280, "height": 800})
        page.set_default_timeout(TIMEOUT_MS)
        page.goto(f"{room_server.url}/host/rooms/{room}")
        return page

    return show


@pytest.fixture
def run(room_server: Server, still_browser: Browser, new_page: NewPage) -> Callable[[str], Any]:
    """Run a piece of JavaScript in a page of the server."""
    page = new_page(still_browser)
    page.goto(room_server.url)
    return lambda code: page.evaluate(f"async () => {{ {ASSESS}\n{code} }}")


@pytest.mark.parametrize(
    ("seen", "stats", "expected"),
    [
        ("result(person())", "good", {}),
        ("result()", "{ ...good, light: lit(null, 100, null) }", {"face": "none", "light": "unknown"}),
        ("result()", "{ ...good, light: lit(null, 10, null) }", {"face": "none", "light": "dark"}),
        ("result(person(), person({ x: 400 }))", "good", {"face": "several"}),
        ("result(person(), person({ x: 400, width: 40, height: 50 }))", "good", {}),
        ("result(person())", "{ ...good, light: lit(20) }", {"light": "dark"}),
        ("result(person())", "{ ...good, light: lit(245) }", {"light": "bright"}),
        ("result(person())", "{ ...good, light: lit(60, 200) }", {"light": "backlit"}),
        ("result(person())", "{ ...good, light: lit(140, 230) }", {}),
        ("result(person())", "{ ...good, light: lit(120, 120, 4) }", {"light": "flat"}),
        ("result(person({ width: 24, height: 30 }))", "good", {"size": "far"}),
        ("result(person({ width: 400, height: 475 }))", "good", {"size": "near"}),
        ("result(person({ yaw: -50 }))", "good", {"pose": "turned"}),
        ("result(person({ pitch: 45 }))", "good", {"pose": "turned"}),
        ("result(person({ roll: 45 }))", "good", {"pose": "tilted"}),
        ("result(person())", "{ ...good, frames_per_s: 2 }", {"rate": "slow"}),
        ("result(person())", "{ ...good, frames_per_s: null }", {"rate": "unknown"}),
    ],
)
def test_each_condition_is_named_and_only_what_is_good_is_ready(
    run: Callable[[str], Any], seen: str, stats: str, expected: dict[str, str]
) -> None:
    assessed = run(f"return assess({seen}, {stats});")
    ready = assessed.pop("ready")
    if expected.get("face") == "none":
        expected = {**expected, "size": "unknown", "pose": "unknown"}
    assert assessed == {**READY, **expected}
    assert ready is (not expected)


def test_checks_and_their_words_are_those_that_the_server_knows(run: Callable[[str], Any]) -> None:
    checks, words = run(
        """
        const { checkText } = await import("/static/js/shared/readiness_texts.js");
        const states = %s;
        const text = ([name, all]) => all.map((state) => checkText(name, state));
        return [CHECKS, Object.entries(states).flatMap(text)];
        """
        % {name: list(states) for name, states in STATES.items()}
    )
    assert checks == list(STATES)
    assert all(words)
    assert len(set(words)) == sum(len(states) - 1 for states in STATES.values()), (
        "ok and unknown share a word"
    )


def test_a_value_that_trembles_at_a_limit_changes_nothing_and_a_short_one_is_not_shown(
    run: Callable[[str], Any],
) -> None:
    trembling, glance, lasting = run(
        """
        const { MIN_HEIGHT } = await import("/static/js/room/readiness.js");
        const show = (values, assessed) => {
            const steady = new SteadyReadiness();
            const shown = new Set();
            for (let step = 0; step < 100; step += 1) {
                const now = steady.take(result(assessed(values(step))), good, 250 * step);
                if (step > 20) shown.add(now.size + now.pose);
            }
            return [...shown];
        };
        const far = (height) => person({ width: 50, height });
        const trembling = show((step) => MIN_HEIGHT.keep + 5 + 4 * (step % 2 ? 1 : -1), far);
        const glance = show((step) => (step % 20 === 0 ? 60 : 0), (yaw) => person({ yaw }));
        const lasting = show((step) => (step > 50 ? 60 : 0), (yaw) => person({ yaw }));
        return [trembling, glance, lasting];
        """
    )
    assert len(trembling) == 1
    assert glance == ["okok"]
    assert lasting == ["okok", "okturned"]


def darkened(image: ImageArray) -> ImageArray:
    return (0.12 * image).astype(np.uint8)


CAMERAS: dict[str, tuple[Callable[[], ImageArray], str, str, str]] = {
    "dark": (lambda: darkened(videos.frame(0, (64, 0, 1.0))), "light", "Too dark", "Turn on a light"),
    "far": (lambda: videos.frame(0, (240, 160, 0.35)), "size", "Too far", "Come closer"),
    "empty": (lambda: videos.frame(0), "face", "No face", "Sit in front"),
    "two": (lambda: videos.frame(0, (-40, 80, 0.8), (260, 80, 0.8)), "face", "Several faces", "Only you"),
}
"""A frame, the check that it fails, the word for hosts, and the advice for the participant."""


def check_state(page: Page, position: int, state: str) -> None:
    page.wait_for_selector(
        f"#checks-list .check:nth-child({position + 1})[data-state='{state}']", timeout=TIMEOUT_MS
    )


@pytest.mark.parametrize("camera", CAMERAS)
def test_a_participant_is_told_what_to_do_and_the_host_sees_what_is_missing(
    room_server: Server,
    launch: Launch,
    new_page: NewPage,
    open_board: OpenBoard,
    tmp_path: Path,
    camera: str,
) -> None:
    frame, check, word, advice = CAMERAS[camera]
    room = make_room(room_server)
    page = new_page(launch(videos.write(tmp_path / "camera.mjpeg", [frame()] * 2)))
    page.set_default_timeout(TIMEOUT_MS)
    join(page, f"{room_server.url}/r/{room}", "Ben", information="What this is.")
    check_state(page, list(STATES).index(check), "wrong")
    page.wait_for_selector(f"#checks-advice:has-text('{advice}')")
    host = open_board(room)
    host.wait_for_selector(f".tile .tile-status:has-text('{word}')")
    host.wait_for_selector("#ready:text-is('0 of 1 ready')")
    host.wait_for_selector(f"#attention:has-text('{word}: Ben')")
    (person,) = api(room_server, "GET", f"/rooms/{room}").json()["participants"]
    assert person["ready"] is False


def test_good_light_size_and_pose_are_said_and_nothing_is_asked_while_recording(
    room_server: Server, still_browser: Browser, new_page: NewPage
) -> None:
    room = make_room(room_server)
    page = new_page(still_browser)
    page.set_default_timeout(TIMEOUT_MS)
    join(page, f"{room_server.url}/r/{room}", "Ann", information="What this is.")
    for position, name in enumerate(STATES):
        if name != "rate":  # a busy machine may be slow
            check_state(page, position, "ok")
    api(room_server, "POST", f"/rooms/{room}/recording", {"state": "started"})
    page.wait_for_selector("#checks", state="hidden")
    api(room_server, "POST", f"/rooms/{room}/recording", {"state": "stopped"})
    page.wait_for_selector("#checks", state="visible")
    page.click("#pause")
    page.wait_for_selector("#checks-advice:has-text('Checking your camera')")


def test_the_board_counts_who_is_ready_and_names_who_is_not(
    room_server: Server, open_board: OpenBoard, astronaut_jpeg: bytes
) -> None:
    room = make_room(room_server)
    with Crowd(room_server, room, 3, [astronaut_jpeg], frames_per_s=2) as crowd:
        host = open_board(room)
        host.wait_for_function(ALL_HAPPY, arg=3)
        expect(host.locator(".tile-status:visible")).to_have_count(0, timeout=TIMEOUT_MS)
        assert host.inner_text("#ready") == "", "programs say nothing about light"
        first, second, third = crowd.membership
        first.ask("readiness", READY)
        second.ask("readiness", {**READY, "light": "backlit"})
        third.ask("readiness", {**READY, "rate": "unknown"})
        host.wait_for_selector("#ready:text-is('1 of 3 ready')")
        host.wait_for_selector("#attention:has-text('Backlit: ')")
        words = ["Ready", "Backlit", "Checking …"]
        expect(host.locator(".tile-status")).to_have_text(words, timeout=TIMEOUT_MS)
        refused = first.ask("readiness", {**READY, "light": "purple"})
        assert refused["problem"]["code"] == "bad_request"
        second.ask("readiness", READY)
        third.ask("readiness", READY)
        host.wait_for_selector("#ready:text-is('3 of 3 ready')")


def test_a_host_asks_one_person_for_a_baseline_and_sees_how_it_goes(
    room_server: Server, open_board: OpenBoard, astronaut_jpeg: bytes
) -> None:
    room = make_room(room_server)
    with ParticipantClient(room_server) as one, ParticipantClient(room_server) as other:
        one.join(room, alias="One")
        other.join(room, alias="Other")
        asked: list[Any] = []
        one.client.on("baseline", asked.append)
        other.client.on("baseline", asked.append)
        host = open_board(room)
        tile = ".tile:has(.tile-alias:text-is('One'))"
        host.click(f"{tile} summary")
        assert host.inner_text(f"{tile} .tile-baseline") == "No baseline yet"
        host.click(f"{tile} .more-panel button:has-text('Record neutral baseline')")
        host.wait_for_selector(f"{tile} .tile-relative:has-text('Baseline: asked, waiting')")
        wait_until(lambda: asked)
        assert asked == [{"state": "asked"}], "only one of the two"
        one.ask("baseline", {})
        one.send(astronaut_jpeg)
        host.wait_for_selector(f"{tile} .tile-relative:text-matches('^Recording baseline … [1-5] s$')")
        while len(asked) < 2:
            one.send(astronaut_jpeg)
        host.wait_for_selector(f"{tile}[data-baseline='set']")
        host.click(f"{tile} summary")
        host.wait_for_selector(f"{tile} .tile-baseline:has-text('Baseline set at ')")
        assert asked[1] == {"state": "set"}


@pytest.mark.parametrize("answer", [None, refusal("not_joined")], ids=["no answer", "a problem"])
def test_a_baseline_that_the_server_does_not_take_is_said_to_have_failed(
    room_server: Server, still_browser: Browser, new_page: NewPage, answer: Answer | None
) -> None:
    room = make_room(room_server)
    page = new_page(still_browser)
    wire = Wire(page)
    wire.answers["baseline"] = answer
    page.set_default_timeout(TIMEOUT_MS)
    join(page, f"{room_server.url}/r/{room}", "Ola", information="What this is.")
    open_menu(page)
    page.click("#baseline")
    page.wait_for_selector("#neutral:has-text('Please keep a neutral face')")
    page.wait_for_selector("#neutral:has-text('The server did not answer')")


def test_who_withdraws_is_gone_from_the_groups_minute_too(
    room_server: Server, open_board: OpenBoard, astronaut_jpeg: bytes
) -> None:
    room = make_room(room_server)
    with ParticipantClient(room_server) as one:
        one.join(room)
        host = open_board(room)
        one.send(astronaut_jpeg)
        host.wait_for_selector("#group-empty", state="hidden")
        one.ask("withdraw", {})
        host.wait_for_selector(".tile", state="detached")
        host.wait_for_selector("#group-empty", state="visible")
