"""The page for files as tests use it: open it, choose files, read what it draws and says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import requests
from playwright.sync_api import Page

from tests.helpers.made_videos import Visit, constant_times, write_video
from tests.helpers.serving import Server
from tests.vision.images import astronaut

RATE = 10
"""Frames a second of the videos; each is analyzed, which takes a busy machine its time."""

VISITS = (Visit("astronaut", 0, 4, left=True), Visit("hopper", 2, 5, left=False))

TIMEOUT_MS = 60_000
JOB_TIMEOUT_MS = 240_000
"""A busy machine is slow and not wrong."""

NOTE_DRAWINGS = """() => document.getElementById("overlay").addEventListener("mien:drawn", ({ detail }) => {
    window.lastDrawn = { ...detail, video_s: document.getElementById("video").currentTime };
})"""


def write_photo(path: Path) -> Path:
    """The portrait as a photo."""
    cv2.imwrite(str(path), astronaut())
    return path


def write_clip(path: Path, seconds: float = 5) -> Path:
    """A video of two people, one after the other and for a while at once."""
    return write_video(path, constant_times(seconds, RATE), VISITS)


def open_files(page: Page, server: Server) -> None:
    """Open the page, and note what its overlay draws."""
    page.set_default_timeout(TIMEOUT_MS)
    page.goto(f"{server.url}/files")
    page.evaluate(NOTE_DRAWINGS)


def choose(page: Page, *paths: Path) -> None:
    """Choose files by the button."""
    with page.expect_file_chooser() as chooser:
        page.click("#choose-files")
    chooser.value.set_files(paths)


def wait_for_results(page: Page) -> None:
    """Wait until results are shown, with all thumbnails."""
    page.wait_for_selector("#result[data-shows='all']", state="visible", timeout=JOB_TIMEOUT_MS)
    page.wait_for_function(
        """() => { const all = [...document.querySelectorAll('.moment-image')];
            return all.length > 0 && all.every((one) => one.classList.contains('is-drawn')); }"""
    )


def drawn_faces(page: Page, time_s: float | None = None) -> list[dict[str, Any]]:
    """What the overlay shows; with a time, once the video is there."""
    page.evaluate("() => { delete window.lastDrawn; }")
    page.wait_for_function(
        "time => window.lastDrawn && (time === null || Math.abs(window.lastDrawn.video_s - time) < 0.01)",
        arg=time_s,
    )
    faces: list[dict[str, Any]] = page.evaluate("window.lastDrawn.faces")
    return faces


def jobs_of(page: Page, server: Server) -> list[dict[str, Any]]:
    """The jobs that the server has of this browser."""
    jobs: list[dict[str, Any]] = page.request.get(f"{server.url}/api/v1/jobs").json()["jobs"]
    return jobs


def frames_of(page: Page, server: Server, job_id: str) -> list[dict[str, Any]]:
    """The results of a job."""
    answer = page.request.get(f"{server.url}/api/v1/jobs/{job_id}/results.json")
    assert answer.status == requests.codes.ok
    frames: list[dict[str, Any]] = answer.json()
    return frames
