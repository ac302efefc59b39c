from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, sync_playwright

from tests.browser import videos
from tests.browser.chromium import camera_arguments, find_chromium, find_shell, is_required
from tests.helpers.experiment_site import ExperimentSite
from tests.helpers.room_client import TOKEN
from tests.helpers.serving import Server

TIMEOUT_MS = 120_000
"""For what must happen; a busy machine is slow and not wrong."""


@pytest.fixture(scope="session")
def room_server() -> Iterator[Server]:
    """One real server for all tests with rooms that leave it as it was."""
    with Server(MIEN_WORKERS="2", MIEN_HOST_TOKEN=TOKEN) as running:
        yield running


@pytest.fixture(scope="session")
def site() -> Iterator[ExperimentSite]:
    """A server of an experiment's pages, which another origin than ours has."""
    with ExperimentSite() as running:
        yield running


@pytest.fixture(scope="session")
def stranger() -> Iterator[ExperimentSite]:
    """Another origin, which no room names."""
    with ExperimentSite() as running:
        yield running


@pytest.fixture(scope="session")
def playwright(chromium_path: str) -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def chromium_path() -> str:
    path = find_chromium()
    if path:
        return path
    message = "no Chromium found; `make test` installs one, or name one with CHROMIUM=/path/to/it"
    if is_required():
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def start_browser(playwright: Playwright, chromium_path: str) -> Callable[..., Browser]:
    """Start a Chromium; its camera plays `video`, and people allow it unless `allowed` is false."""

    def start(
        video: Path | None = None,
        allowed: bool = True,
        cameras: int = 1,
        extra: str = "",
        path: str = chromium_path,
    ) -> Browser:
        arguments = camera_arguments(video, allowed, cameras) + ([extra] if extra else [])
        return playwright.chromium.launch(executable_path=path, args=arguments)

    return start


@pytest.fixture
def launch(start_browser: Callable[..., Browser]) -> Iterator[Callable[..., Browser]]:
    """`start_browser` for one test."""
    started: list[Browser] = []

    def start(*arguments: Any, **options: Any) -> Browser:  # noqa: ANN401 - those of start_browser
        started.append(start_browser(*arguments, **options))
        return started[-1]

    yield start
    for browser in started:
        browser.close()


@pytest.fixture(scope="session")
def still_browser(
    start_browser: Callable[..., Browser], chromium_path: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    """One browser for all tests that need no other camera: the portrait in the center, not moving.

    A browser without windows where there is one, as most pages are opened here.
    """
    video = videos.write_still(tmp_path_factory.mktemp("video") / "still.mjpeg", (64, 0, 1.0))
    browser = start_browser(video, path=find_shell() or chromium_path)
    yield browser
    browser.close()


@pytest.fixture
def new_page(launch: Callable[..., Browser]) -> Iterator[Callable[..., Page]]:
    """A page in a context of its own; an error of its scripts, or of its security policy, fails the test."""
    errors: list[str] = []
    pages: list[Page] = []

    def listen(message: ConsoleMessage) -> None:
        if "Security Policy" in message.text:
            errors.append(message.text)

    def create(browser: Browser, **context: Any) -> Page:  # noqa: ANN401 - Playwright's own options
        page = browser.new_context(**context).new_page()
        page.set_default_timeout(TIMEOUT_MS)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", listen)
        pages.append(page)
        return page

    yield create
    for page in pages:
        page.context.close()
    assert errors == []


@pytest.fixture(scope="session")
def moving_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten seconds of the portrait moving."""
    return videos.write_moving(tmp_path_factory.mktemp("video") / "moving.mjpeg", seconds=10)
