"""The page for photos and videos, on a real server with real jobs."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser import files_page as files
from tests.browser import live
from tests.browser.measuring import received_bytes
from tests.helpers.made_videos import drawn
from tests.helpers.serving import Server
from tests.vision.images import FACE, astronaut, overlap
from webapp.export.codebook import FILE_COLUMNS
from webapp.protocol import Box

NewPage = Callable[..., Page]

HAPPY_RGB = (0xE6, 0x9F, 0x00)
MAX_PAGE_BYTES = 200_000
MIN_OVERLAP = 0.6

MAX_BOX_SHIFT_PX = 1.5
"""A seek lands within two milliseconds after a frame, and boxes move on from there."""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return files.write_clip(tmp_path_factory.mktemp("clip") / "two people.mp4")


@pytest.fixture
def page(server: Server, still_browser: Browser, new_page: NewPage) -> Page:
    expect.set_options(timeout=files.TIMEOUT_MS)
    page = new_page(still_browser, viewport={"width": 1280, "height": 800}, locale="en")
    files.open_files(page, server)
    return page


def test_a_photo_takes_two_clicks_from_the_start_page_and_is_not_stored(
    page: Page, server: Server, tmp_path: Path
) -> None:
    page.goto(server.url)
    page.click("text=Try a photo")
    page.wait_for_url("**/files")
    page.evaluate(files.NOTE_DRAWINGS)
    files.choose(page, files.write_photo(tmp_path / "portrait.png"))
    files.wait_for_results(page)
    (face,) = files.drawn_faces(page)
    assert overlap(Box(*face["box"]), FACE) > MIN_OVERLAP
    assert face["label"].startswith("Happy ")
    canvas = np.array(page.evaluate(PIXELS), np.uint8).reshape(-1, 4)
    assert (np.abs(canvas[:, :3].astype(int) - HAPPY_RGB).max(axis=1) < 8).sum() > 1000, "its box and label"
    assert page.inner_text("#readout-name") == "Happy"
    assert files.jobs_of(page, server) == []
    assert page.inner_text(".file-status") == "Done · not stored"


PIXELS = """() => { const canvas = document.getElementById("overlay");
    return [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data]; }"""


def saved(page: Page, name: str) -> bytes:
    with page.expect_download() as download:
        page.click(f"#downloads >> text={name}")
    return download.value.path().read_bytes()


def test_the_files_of_a_photo_have_its_results(page: Page) -> None:
    page.click("#example")
    files.wait_for_results(page)
    result = json.loads(saved(page, "Everything"))
    (face,) = result["faces"]
    (row,) = csv.DictReader(io.StringIO(saved(page, "Table (CSV)").decode()))
    assert list(row) == [column.name for column in FILE_COLUMNS]
    assert [float(row[name]) for name in ("FaceRectX", "FaceRectWidth")] == [face["box"][0], face["box"][2]]
    assert float(row["happiness"]) == face["raw_probabilities"]["happy"]
    assert float(row["valence"]) == pytest.approx(face["valence"], abs=0.001)
    picture = cv2.imdecode(np.frombuffer(saved(page, "Annotated photo"), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (result["height"], result["width"], 3)
    assert np.mean(cv2.absdiff(picture[300:], astronaut()[300:])) < 12
    assert np.mean(cv2.absdiff(picture[60:180, 160:280], astronaut()[60:180, 160:280])) > 12


def box_near(frames: list[dict[str, Any]], time_s: float, face_id: int) -> list[float]:
    frame = max((one for one in frames if one["t"] <= time_s + 0.0005), key=lambda one: one["t"])
    box: list[float] = next(face["box"] for face in frame["faces"] if face["id"] == face_id)
    return box


def test_a_video_is_scrubbed_and_its_overlay_matches_the_results(
    page: Page, server: Server, clip: Path
) -> None:
    files.choose(page, clip)
    files.wait_for_results(page)
    (job,) = files.jobs_of(page, server)
    frames = files.frames_of(page, server, job["id"])
    assert len(frames) == 5 * files.RATE
    assert page.inner_text("#result-note") == "2 faces · 50 frames"

    slider = page.locator("#scrubber")
    assert slider.get_attribute("role") == "slider"
    slider.focus()
    end_s = page.evaluate("document.getElementById('video').duration")
    for key, time_s, people in (
        ("ArrowRight", 0.102, 1),
        ("ArrowRight", 0.202, 1),
        ("ArrowLeft", 0.102, 1),
        ("PageUp", end_s, 1),
        ("Home", 0.0, 1),
        ("ArrowUp", 1.0, 1),
        ("ArrowUp", 2.0, 2),
        ("ArrowUp", 3.0, 2),
        ("ArrowRight", 3.102, 2),
    ):
        page.keyboard.press(key)
        shown = files.drawn_faces(page, time_s)
        assert len(shown) == people, f"at {time_s} s"
        expect(slider).to_have_attribute("aria-valuenow", f"{time_s:.2f}")
        for face in shown:
            truth = box_near(frames, time_s, face["id"])
            assert face["box"] == pytest.approx(truth, abs=MAX_BOX_SHIFT_PX)
    expect(slider).to_have_attribute("aria-valuetext", re.compile(r"^0:03\.10, Happy \d+%$"))

    bounds = slider.bounding_box()
    assert bounds is not None
    x_axis_px = 44
    page.mouse.click(
        bounds["x"] + x_axis_px + (bounds["width"] - x_axis_px - 1) * 0.5, bounds["y"] + bounds["height"] / 2
    )
    time_s = page.evaluate("document.getElementById('video').currentTime")
    assert time_s == pytest.approx(end_s / 2, abs=0.02)
    assert len(files.drawn_faces(page, time_s)) == 2


def test_the_overlay_keeps_up_with_a_video_that_plays(page: Page, server: Server, clip: Path) -> None:
    files.choose(page, clip)
    files.wait_for_results(page)
    page.evaluate(
        """() => {
            const [video, overlay] = ["video", "overlay"].map((id) => document.getElementById(id));
            window.all = [];
            const note = ({ detail }) => window.all.push([video.currentTime, detail.faces.length]);
            overlay.addEventListener("mien:drawn", note);
        }"""
    )
    page.click("#play")
    page.wait_for_function("() => document.getElementById('video').ended")
    counts = page.evaluate("window.all")
    sure = [(time_s, count) for time_s, count in counts if 0.3 < time_s < 1.9 or 2.4 < time_s < 3.8]
    assert len(sure) > 5
    assert all(count == (1 if time_s < 2 else 2) for time_s, count in sure)
    expect(page.locator("#play-text")).to_have_text("Play")


def test_faces_are_tracks_with_thumbnails_that_lead_to_their_moments(
    page: Page, server: Server, clip: Path
) -> None:
    files.choose(page, clip)
    files.wait_for_results(page)
    tracks = page.locator(".track")
    assert tracks.count() == 2
    happy = tracks.nth(0).locator(".moment[data-expression='happy']")
    assert "Happy" in happy.inner_text()
    thumbnail = happy.locator("canvas").evaluate("(canvas) => canvas.toDataURL('image/png')")
    image = page_image(thumbnail)
    assert image.std() > 30, "a face, and not an empty canvas"
    other = tracks.nth(1).locator(".moment").first
    other.click()
    time_s = page.evaluate("document.getElementById('video').currentTime")
    assert 1.9 < time_s < 5
    selected = [face for face in files.drawn_faces(page, time_s) if face["selected"]]
    assert selected[0]["label"].split(" · ")[-1].split()[0] == other.locator(".moment-name").inner_text()
    table = saved(page, "Table (CSV)").decode()
    assert len({row["face_id"] for row in csv.DictReader(io.StringIO(table))} - {""}) == 2
    assert saved(page, "Annotated video")[4:8] == b"ftyp"


def page_image(data_url: str) -> np.ndarray[Any, Any]:
    import base64

    png = base64.b64decode(data_url.partition(",")[2])
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image


def test_jobs_are_there_again_after_a_reload_and_deleting_asks_first(
    page: Page, server: Server, clip: Path
) -> None:
    files.choose(page, clip)
    files.wait_for_results(page)
    page.route("**/api/v1/jobs", lambda route: route.abort())
    page.reload()
    page.wait_for_selector("#files-problem:has-text('The page goes on asking')")
    page.unroute("**/api/v1/jobs")
    page.evaluate(files.NOTE_DRAWINGS)
    files.wait_for_results(page)
    assert "/input" in page.evaluate("document.getElementById('video').currentSrc")
    page.focus("#scrubber")
    page.keyboard.press("ArrowUp")
    assert len(files.drawn_faces(page, 1.0)) == 1

    page.click(".file-buttons >> text=Delete")
    page.click("#confirm >> text=Cancel")
    assert len(files.jobs_of(page, server)) == 1
    page.click(".file-buttons >> text=Delete")
    page.click("#confirm-yes")
    page.wait_for_selector("#result", state="hidden")
    assert files.jobs_of(page, server) == []
    assert page.locator(".file").count() == 0


def test_clicks_while_the_viewer_loads_start_one_viewer(page: Page, clip: Path, tmp_path: Path) -> None:
    files.choose(page, clip)
    files.wait_for_results(page)
    files.choose(page, files.write_clip(tmp_path / "second.mp4", seconds=1))
    files.wait_for_results(page)
    held: list[Route] = []
    page.route("**/result/view.js", lambda route: held.append(route))  # noqa: PLW0108
    with page.expect_request("**/result/view.js"):
        page.reload()  # the newest opens by itself
    page.click("[aria-label='Show “two people.mp4”']")
    page.click("[aria-label='Show “second.mp4”']")
    assert held
    for route in held:
        route.continue_()
    files.wait_for_results(page)
    page.click("#play")  # two viewers would play and pause it
    page.wait_for_function("() => document.getElementById('video').currentTime > 0.5")


def test_a_job_is_cancelled_and_leaves_nothing(page: Page, server: Server, tmp_path: Path) -> None:
    files.choose(page, files.write_clip(tmp_path / "long.mp4", seconds=60))
    expect(page.locator(".file-status")).to_have_text(
        re.compile(r"^Analyzing: \d+% · \d+ (second|minute)s? left$"), timeout=files.JOB_TIMEOUT_MS
    )
    page.click(".file-buttons >> text=Cancel")
    page.wait_for_selector(".file", state="detached")
    assert files.jobs_of(page, server) == []


def test_an_example_that_cannot_be_loaded_is_said_to_be_so(page: Page) -> None:
    earlier_files: list[Route] = []
    page.route("**/api/v1/jobs", lambda route: earlier_files.append(route))
    page.reload()
    page.route("**/eileen-collins.jpg*", lambda route: route.abort())
    page.click("#example")
    problem = page.locator("#files-problem")
    expect(problem).to_have_text(re.compile("^The example could not be loaded"))
    live.wait_for(page, lambda: earlier_files)
    page.unroute("**/api/v1/jobs")
    with page.expect_event("requestfinished", lambda request: request.url.endswith("/jobs")):
        earlier_files[0].continue_()
    page.wait_for_timeout(200)
    expect(problem).to_have_text(re.compile("^The example could not be loaded"))
    page.unroute("**/eileen-collins.jpg*")
    page.click("#example")
    files.wait_for_results(page)
    assert problem.is_hidden()


def test_an_answer_of_something_between_does_not_hold_up_the_next_file(page: Page, tmp_path: Path) -> None:
    page.route("**/api/v1/analyze", lambda route: route.fulfill(body="<html>Sign in to the network</html>"))
    photo = files.write_photo(tmp_path / "portrait.png")
    files.choose(page, photo)
    expect(page.locator(".file-status")).to_have_text("“portrait.png” could not be analyzed.")
    page.unroute("**/api/v1/analyze")
    files.choose(page, photo)
    files.wait_for_results(page)


def test_several_photos_become_jobs_and_each_can_be_shown(page: Page, server: Server, tmp_path: Path) -> None:
    files.choose(page, *(files.write_photo(tmp_path / f"{name}.jpg") for name in ("first", "second")))
    files.wait_for_results(page)
    page.wait_for_function(
        "() => document.querySelectorAll('.file[data-state=done]').length === 2", timeout=files.JOB_TIMEOUT_MS
    )
    assert {job["name"] for job in files.jobs_of(page, server)} == {"first.jpg", "second.jpg"}
    page.click("[aria-label='Show “second.jpg”']")
    expect(page.locator("#result-name")).to_have_text("second.jpg")
    files.wait_for_results(page)
    (face,) = files.drawn_faces(page)
    assert overlap(Box(*face["box"]), FACE) > MIN_OVERLAP


def test_of_a_video_that_the_browser_cannot_play_the_annotated_copy_is_shown(
    page: Page, tmp_path: Path
) -> None:
    files.choose(page, write_mpeg4(tmp_path / "old camera.avi"))
    page.wait_for_selector("#result[data-shows='all']", state="visible", timeout=files.JOB_TIMEOUT_MS)
    note = page.locator("#result-note")
    expect(note).to_have_text("Your browser cannot play this file. The annotated copy is shown instead.")
    page.wait_for_function("() => document.getElementById('video').videoWidth > 0")
    assert page.locator("#overlay").is_hidden(), "the copy has the boxes already"
    files.wait_for_results(page)
    assert page.inner_text("#readout-name") == "Happy"


def write_mpeg4(path: Path) -> Path:
    """A video in MPEG-4 Part 2, which browsers do not play."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=files.RATE)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        for number in range(2 * files.RATE):
            image = drawn(number / files.RATE, files.VISITS)
            container.mux(stream.encode(VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode(None))
    return path


def test_everything_can_be_done_by_keyboard(page: Page, clip: Path) -> None:
    def tab_to(selector: str) -> None:
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("selector => document.activeElement.matches(selector)", selector):
                outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
                assert outline != "none", f"the focus on {selector} must be seen"
                return
        pytest.fail(f"the keyboard does not reach {selector}")

    with page.expect_file_chooser() as chooser:  # begins to listen a moment before the key
        tab_to("#choose-files")
        page.keyboard.press("Enter")
    chooser.value.set_files(clip)
    files.wait_for_results(page)
    page.wait_for_function("() => document.activeElement.id === 'result-title'")
    tab_to("#play")
    tab_to("#step-on")
    page.keyboard.press("Space")
    page.wait_for_function("() => document.getElementById('video').currentTime > 0.09")
    tab_to("#landmarks")
    page.keyboard.press("Space")
    assert page.get_attribute("#landmarks", "aria-pressed") == "false"
    tab_to("#scrubber")
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("() => document.getElementById('video').currentTime > 4.7")
    tab_to(".moment")
    page.keyboard.press("Enter")
    tab_to("#downloads a")


def test_files_can_be_dropped_anywhere_on_the_page(page: Page, tmp_path: Path) -> None:
    content = files.write_photo(tmp_path / "dropped.jpg").read_bytes()
    transfer = page.evaluate_handle(
        """bytes => { const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], "dropped.jpg", { type: "image/jpeg" }));
            return transfer; }""",
        list(content),
    )
    page.dispatch_event("main", "dragenter", {"dataTransfer": transfer})
    assert page.evaluate("document.getElementById('drop').classList.contains('is-target')")
    page.dispatch_event("main", "drop", {"dataTransfer": transfer})
    files.wait_for_results(page)
    assert page.inner_text("#result-name") == "dropped.jpg"


def test_the_page_is_small(server: Server, still_browser: Browser, new_page: NewPage, tmp_path: Path) -> None:
    page = new_page(still_browser)
    received = received_bytes(page)
    files.open_files(page, server)
    files.choose(page, files.write_photo(tmp_path / "portrait.jpg"))
    files.wait_for_results(page)
    own = {url: size for url, size in received().items() if url.startswith("http")}
    assert sum(own.values()) < MAX_PAGE_BYTES, own
