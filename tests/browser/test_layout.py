"""The stage is the heart of the live page, and its controls are right under it in every window."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FloatRect, Page

from tests.browser import live, videos
from tests.helpers.faces import face
from tests.helpers.serving import Server
from webapp.codec import encode_result
from webapp.protocol import STAGES, Result

Launch = Callable[..., Browser]
NewPage = Callable[..., Page]

WINDOWS = {"laptop": (1280, 800), "desktop": (1920, 1080), "phone": (390, 844), "zoomed twice": (640, 400)}
CAMERAS = {"4:3": (640, 480), "16:9": (640, 360), "portrait": (360, 640)}

MAX_GAP_PX = 24
MIN_TEXT_PX = 14

PAUSE_S = 4

HAPPY_AROUND_A_GAP = """seconds => {
    const canvas = document.getElementById("timeline");
    const { width, height } = canvas;
    const row = canvas.getContext("2d").getImageData(0, Math.round(height / 3), width, 1).data;
    const isOrange = (x) => row[4 * x + 3] > 250 && row[4 * x + 2] < 60;
    const orange = Array.from({ length: width }, (_, x) => x).filter(isOrange);
    return orange.some((x, index) => x - orange[index - 1] > (seconds / 60) * width);
}"""
"""Whether the timeline has the colour of happy before and after a gap of more than so many seconds."""


def five_faces(seq: int) -> live.Answer:
    """A result with five faces side by side, as the server writes it."""
    faces = tuple(replace(face(x=20 + 122 * index, y=150, width=96), id=index + 1) for index in range(5))
    answer: live.Answer = json.loads(encode_result(Result(seq, 640, 480, faces, dict.fromkeys(STAGES, 1.0))))
    return answer


def box_of(page: Page, selector: str) -> FloatRect:
    box = page.locator(selector).bounding_box()
    assert box is not None, f"{selector} is not shown"
    return box


def bottom(box: FloatRect) -> float:
    return box["y"] + box["height"]


def give_camera_shape(page: Page, size: tuple[int, int]) -> None:
    """Show a video of another shape on the page: a canvas in the camera's place."""
    page.add_init_script(
        f"""navigator.mediaDevices.getUserMedia = async () => {{
            const canvas = document.createElement("canvas");
            Object.assign(canvas, {{ width: {size[0]}, height: {size[1]} }});
            const context = canvas.getContext("2d");
            setInterval(() => {{ context.fillStyle = "gray"; context.fillRect(0, 0, 4000, 4000); }}, 50);
            return canvas.captureStream(20);
        }};"""
    )


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("camera", CAMERAS)
def test_the_controls_are_right_under_the_video_and_above_the_fold(
    server: Server, still_browser: Browser, new_page: NewPage, camera: str, window: str
) -> None:
    width, height = WINDOWS[window]
    page = new_page(still_browser, viewport={"width": width, "height": height})
    give_camera_shape(page, CAMERAS[camera])
    live.answer_frames(page, five_faces)
    page.goto(server.url)
    live.start(page)
    page.wait_for_selector(".face-button >> nth=4", state="visible")
    page.wait_for_selector("#camera option", state="attached")  # it may widen the controls
    page.wait_for_function("() => document.getElementById('live').style.getPropertyValue('--ratio') !== ''")

    stage, controls = box_of(page, "#stage"), box_of(page, "#controls")
    assert 0 <= controls["y"] - bottom(stage) <= MAX_GAP_PX
    assert bottom(box_of(page, "#stop")) <= height
    if width > 900:
        assert stage["x"] == controls["x"] == box_of(page, ".brand")["x"]
        assert bottom(box_of(page, ".history")) <= height
        shape = CAMERAS[camera][0] / CAMERAS[camera][1]
        assert stage["width"] / stage["height"] == pytest.approx(shape, rel=0.01)


@pytest.mark.parametrize("window", ["laptop", "phone"])
def test_labels_of_five_faces_do_not_cover_each_other_and_can_be_read(
    server: Server, still_browser: Browser, new_page: NewPage, window: str
) -> None:
    width, height = WINDOWS[window]
    page = new_page(still_browser, viewport={"width": width, "height": height})
    live.answer_frames(page, five_faces)
    page.goto(server.url)
    live.start(page)
    page.wait_for_selector(".face-button >> nth=4", state="visible")
    faces = live.drawing(page, faces=5)["faces"]
    for first, second in itertools.combinations([one["label_box"] for one in faces], 2):
        assert not overlap(first, second)
    assert min(one["label_box"][3] for one in faces) >= 1.7 * MIN_TEXT_PX
    assert [one["label"] for one in faces if one["selected"]][0].endswith("%")


def overlap(first: list[float], second: list[float]) -> bool:
    """Whether two boxes, each x, y, width and height, have a point in common."""
    return all(
        first[axis] < second[axis] + second[axis + 2] and second[axis] < first[axis] + first[axis + 2]
        for axis in (0, 1)
    )


def test_full_screen_shows_the_video_and_its_controls_alone(
    server: Server, still_browser: Browser, new_page: NewPage
) -> None:
    page = new_page(still_browser, viewport={"width": 1280, "height": 800})
    page.goto(server.url)
    live.start(page)
    live.wait_for_label(page, "Happy")
    before = box_of(page, "#stage")
    page.click("#fullscreen")
    page.wait_for_function("() => document.fullscreenElement?.id === 'viewer'")
    page.wait_for_function("() => document.getElementById('stage').clientHeight >= 0.85 * innerHeight")
    assert box_of(page, "#stage")["height"] > before["height"]
    page.wait_for_selector("#fullscreen[aria-pressed=true]")

    page.click("#stop")
    page.wait_for_selector('[data-screen="stopped"]', state="visible")
    page.wait_for_function("() => document.fullscreenElement === null")


def test_bars_colours_and_numbers_change_together(
    server: Server, still_browser: Browser, new_page: NewPage
) -> None:
    page = new_page(still_browser)
    page.goto(server.url)
    moving = page.evaluate(
        """() => ["bar-fill", "swatch", "bar-number"].filter((name) => {
            const made = document.querySelector("#readout").appendChild(document.createElement("span"));
            made.className = name;
            return getComputedStyle(made).transitionDuration !== "0s";
        })"""
    )
    assert moving == []


def test_bars_are_seen_in_high_contrast(server: Server, still_browser: Browser, new_page: NewPage) -> None:
    page = new_page(still_browser, forced_colors="active")
    page.goto(server.url)
    live.start(page)
    live.wait_for_label(page, "Happy")
    fill = page.locator("[data-expression='happy'] .bar-fill")
    assert fill.evaluate("(bar) => getComputedStyle(bar).backgroundColor") == "rgb(230, 159, 0)"
    assert fill.evaluate("(bar) => getComputedStyle(bar.parentElement).borderTopWidth") == "1px"


def test_a_pause_leaves_a_gap_in_the_timeline_and_what_came_before(
    server: Server, launch: Launch, new_page: NewPage, tmp_path: Path
) -> None:
    page = new_page(launch(videos.write_still(tmp_path / "still.mjpeg", (64, 0, 1.0))))
    page.goto(server.url)
    live.start(page)
    live.wait_for_label(page, "Happy")
    page.wait_for_timeout(3000)
    page.click("#pause")
    page.wait_for_timeout(1000 * PAUSE_S)
    page.click("#pause")
    page.wait_for_function(HAPPY_AROUND_A_GAP, arg=PAUSE_S - 1)
