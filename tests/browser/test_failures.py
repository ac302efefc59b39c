"""Every failure has its own screen or notice that says what to do, and the page goes on by itself."""

from __future__ import annotations

import io
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from tests.browser import live, videos
from tests.helpers.serving import Server
from tests.helpers.waiting import TIMEOUT_S

Launch = Callable[..., Browser]
NewPage = Callable[..., Page]

HEARTBEAT_S = 19.0
"""Socket.IO misses a heartbeat 20 to 45 s after a server fell silent."""

SMALLEST_PX = 320
"""How wide frames are where fewer than five a second are allowed: see live/rate.js."""

CAMERA_IS_IN_USE = """
navigator.mediaDevices.getUserMedia = async () => {
  throw new DOMException("Could not start video source", "NotReadableError");
};
"""


def press_start(page: Page) -> None:
    page.click('[data-screen="start"] [data-start]')


def wait_for_screen(page: Page, name: str) -> str:
    """Wait until this screen alone is shown; its text."""
    page.wait_for_selector(f'[data-screen="{name}"]', state="visible")
    assert page.locator("[data-screen]:visible").count() == 1
    return page.inner_text(f'[data-screen="{name}"]')


def wait_for_notice(page: Page, name: str, timeout_s: float = TIMEOUT_S) -> str:
    page.wait_for_selector(f'[data-notice="{name}"]', state="visible", timeout=1000 * timeout_s)
    return page.inner_text(f'[data-notice="{name}"]')


@pytest.fixture
def own_server() -> Iterator[Server]:
    """A server that a test may stop."""
    with Server(MIEN_WORKERS="1") as running:
        yield running


def test_a_camera_that_is_not_allowed(server: Server, launch: Launch, new_page: NewPage) -> None:
    page = new_page(launch(allowed=False))
    page.goto(server.url)
    press_start(page)
    assert "allow the camera" in wait_for_screen(page, "denied")
    page.wait_for_selector("#denied-title:focus")  # the screen reader begins there


def test_a_computer_without_camera(server: Server, launch: Launch, new_page: NewPage) -> None:
    page = new_page(launch(cameras=0))
    page.goto(server.url)
    press_start(page)
    assert "Plug in a camera" in wait_for_screen(page, "missing")


def test_a_camera_in_use_and_then_free(server: Server, still_browser: Browser, new_page: NewPage) -> None:
    page = new_page(still_browser)
    page.add_init_script("window.real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);")
    page.add_init_script(CAMERA_IS_IN_USE)
    page.goto(server.url)
    press_start(page)
    assert "Close video calls" in wait_for_screen(page, "in-use")

    page.evaluate("() => { navigator.mediaDevices.getUserMedia = window.real; }")
    page.click('[data-screen="in-use"] [data-start]')
    live.wait_for_label(page, "Happy")


def test_a_camera_that_is_unplugged(server: Server, still_browser: Browser, new_page: NewPage) -> None:
    page = new_page(still_browser)
    page.goto(server.url)
    live.start(page)
    page.evaluate(
        "document.getElementById('video').srcObject.getVideoTracks()[0].dispatchEvent(new Event('ended'))"
    )
    assert "Connect the camera" in wait_for_screen(page, "unplugged")


def test_a_start_while_the_server_is_away_says_so_and_works_once_it_is_back(
    own_server: Server, still_browser: Browser, new_page: NewPage
) -> None:
    page = new_page(still_browser)
    page.goto(own_server.url)
    own_server.stop()
    press_start(page)
    assert "Check your network connection" in wait_for_screen(page, "unreachable")
    page.click('[data-screen="unreachable"] [data-start]')
    wait_for_screen(page, "unreachable")
    own_server.start()
    live.start(page, "unreachable")
    live.wait_for_label(page, "Happy")


@pytest.mark.parametrize("module", ["live/view.js", "live/scene.js", "shared/connection.js"])
def test_a_module_that_does_not_come_leaves_the_camera_off_and_is_asked_for_again(
    server: Server, still_browser: Browser, new_page: NewPage, module: str
) -> None:
    page = new_page(still_browser)
    page.route(f"**/js/{module}", lambda route: route.abort(), times=1)
    page.goto(server.url)
    press_start(page)
    wait_for_screen(page, "unreachable")
    assert page.evaluate("document.getElementById('video').srcObject") is None
    with page.expect_navigation():  # Chromium would not ask for the module again
        page.click('[data-screen="unreachable"] [data-start]')
    live.start(page)
    live.wait_for_label(page, "Happy")


def test_a_page_without_https_names_the_address_with_it(launch: Launch, new_page: NewPage) -> None:
    page = new_page(launch(extra="--host-resolver-rules=MAP mien.test 127.0.0.1"))
    with Server(MIEN_WORKERS="1", MIEN_KNOWN_HOSTS="mien.test") as server:
        page.goto(f"http://mien.test:{server.port}/")
        assert "only over https" in wait_for_screen(page, "insecure")
        link = page.locator('[data-screen="insecure"] a')
        assert link.get_attribute("href") == "https://mien.test:8443/"


def test_no_face_in_view(server: Server, launch: Launch, new_page: NewPage, tmp_path: Path) -> None:
    page = new_page(launch(videos.write_still(tmp_path / "nobody.mjpeg")))
    page.goto(server.url)
    live.start(page)
    assert "Look towards the camera" in wait_for_notice(page, "no-face")
    live.wait_for_label(page, "No face")


def test_a_lost_server_is_found_again_without_a_click(
    own_server: Server, still_browser: Browser, new_page: NewPage
) -> None:
    page = new_page(still_browser)
    page.goto(own_server.url)
    live.start(page)
    live.wait_for_label(page, "Happy")

    own_server.stop()
    assert "Reconnecting automatically" in wait_for_notice(page, "server-lost")
    assert not page.evaluate("document.getElementById('video').paused"), "the camera's video goes on"
    live.wait_for_label(page, "Waiting …")

    own_server.start()
    page.wait_for_selector('[data-notice="server-lost"]', state="hidden")
    live.wait_for_label(page, "Happy")
    live.drawing(page, faces=1)


def test_a_server_that_says_nothing_counts_as_lost_long_before_its_heartbeat_is_missed(
    own_server: Server, still_browser: Browser, new_page: NewPage
) -> None:
    page = new_page(still_browser)
    page.goto(own_server.url)
    live.start(page)
    live.wait_for_label(page, "Happy")
    own_server.process.send_signal(signal.SIGSTOP)
    try:
        wait_for_notice(page, "server-lost", HEARTBEAT_S)
    finally:
        own_server.process.send_signal(signal.SIGCONT)
    page.wait_for_selector('[data-notice="server-lost"]', state="hidden")
    live.wait_for_label(page, "Happy")


@pytest.mark.parametrize(
    ("code", "advice"), [("busy", "until it catches up"), ("unavailable", "in a few seconds")]
)
def test_problems_of_the_server_are_told_and_pass(
    server: Server, still_browser: Browser, new_page: NewPage, code: str, advice: str
) -> None:
    page = new_page(still_browser)
    answers = [live.problem(code)]
    live.answer_frames(page, lambda seq: {**answers[-1], "seq": seq})
    page.goto(server.url)
    live.start(page)
    assert advice in wait_for_notice(page, code)

    answers.append(live.result("happy"))
    page.wait_for_selector(f'[data-notice="{code}"]', state="hidden")
    live.wait_for_label(page, "Happy")


def test_a_busy_server_gets_fewer_and_smaller_frames(
    server: Server, still_browser: Browser, new_page: NewPage
) -> None:
    page = new_page(still_browser)
    frames = live.answer_frames(page, lambda seq: {**live.problem("busy"), "seq": seq})
    page.goto(server.url)
    live.start(page)
    live.wait_for(page, lambda: frames and Image.open(io.BytesIO(frames[-1])).width == SMALLEST_PX)
    began_s, before = time.monotonic(), len(frames)
    page.wait_for_timeout(2000)
    assert len(frames) - before <= 5 * (time.monotonic() - began_s), "about four a second at last"
    assert len(frames[-1]) < len(frames[0]) / 2
