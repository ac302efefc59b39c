"""What the page for files says of broken files, and while the server is away for a moment."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser import files_page as files
from tests.helpers.made_videos import constant_times, write_video
from tests.helpers.serving import Server

NewPage = Callable[..., Page]

SHOW, DELETE = ".file-buttons >> text=Show", ".file-buttons >> text=Delete"


@pytest.fixture
def page(server: Server, still_browser: Browser, new_page: NewPage) -> Page:
    expect.set_options(timeout=files.TIMEOUT_MS)
    page = new_page(still_browser, locale="en")
    files.open_files(page, server)
    return page


def test_results_are_shown_once_the_server_is_back(page: Page, tmp_path: Path) -> None:
    page.route("**/reach_server.js", answer_no_question)
    files.choose(page, files.write_photo(tmp_path / "portrait.png"))
    page.wait_for_selector("#files-problem:text-is('The server cannot be reached.')")
    assert page.get_attribute(SHOW, "aria-pressed") == "false"
    page.unroute("**/reach_server.js")
    page.click(SHOW)
    files.wait_for_results(page)
    assert page.is_hidden("#files-problem")


def answer_no_question(route: Route) -> None:
    if route.request.method == "HEAD":
        route.abort()
    else:
        route.continue_()


def test_a_file_that_could_not_be_deleted_can_still_be_looked_at(page: Page, tmp_path: Path) -> None:
    files.choose(page, files.write_clip(tmp_path / "clip.mp4", seconds=1))
    files.wait_for_results(page)
    page.route("**/api/v1/jobs/*", lambda route: route.abort())
    page.click(DELETE)
    page.click("#confirm-yes")
    page.wait_for_selector("#files-problem:has-text('could not be reached')")
    page.unroute("**/api/v1/jobs/*")
    page.click(SHOW)
    files.wait_for_results(page)
    page.wait_for_function("() => document.getElementById('video').readyState >= 2")
    assert page.evaluate("document.getElementById('video').src").startswith("blob:")
    assert "annotated copy" not in page.inner_text("#result-note")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("empty.jpg", b"", "“empty.jpg” is empty."),
        ("notes.txt", b"Some notes", "“notes.txt” is neither a photo nor a video"),
        ("broken.jpg", b"\xff\xd8\xff" + bytes(2000), "“broken.jpg” cannot be read as a photo."),
        ("broken.mp4", b"\x00\x00\x00\x18ftypisom" + bytes(2000), "“broken.mp4” cannot be read as a video."),
        ("old.zip", b"Some notes", "“old.zip” is not a complete ZIP archive."),
    ],
)
def test_a_broken_file_is_refused_by_name_and_the_page_goes_on(
    page: Page, tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    (tmp_path / name).write_bytes(content)
    files.choose(page, tmp_path / name)
    page.wait_for_selector(".file[data-state='failed']", timeout=files.JOB_TIMEOUT_MS)
    assert says in page.inner_text(".file-status")
    assert page.locator("#result").is_hidden()
    page.click(".file-buttons >> text=Delete")
    page.wait_for_selector(".file", state="detached")
    page.click("#example")
    files.wait_for_results(page)


def test_of_a_video_without_its_end_what_was_found_is_shown(
    page: Page, server: Server, tmp_path: Path
) -> None:
    whole = tmp_path / "whole.mkv"
    content = write_video(whole, constant_times(8, files.RATE), files.VISITS).read_bytes()
    (tmp_path / "cut.mkv").write_bytes(content[: len(content) // 2])
    files.choose(page, tmp_path / "cut.mkv")
    page.wait_for_selector(".file[data-state='failed']", timeout=files.JOB_TIMEOUT_MS)
    assert "its end is missing" in page.inner_text(".file-status")
    detail = page.locator(".file-detail p[lang=en]")
    expect(detail).to_be_hidden()
    page.click(".file-detail summary")
    expect(detail).to_have_text(re.compile(r"^cut\.mkv: the video ends after"))
    page.click("text=Show")
    files.wait_for_results(page)
    (job,) = files.jobs_of(page, server)
    assert page.inner_text("#result-note").endswith(
        f"· {len(files.frames_of(page, server, job['id']))} frames"
    )
