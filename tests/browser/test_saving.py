"""What people keep of the live page: the last minute as CSV and chart, and a picture of the view."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from tests.browser import live, videos
from tests.helpers.serving import Server
from tests.vision.images import ImageArray, mirrored, overlap
from webapp.export.codebook import COLUMNS, EXPORT_NAMES
from webapp.protocol import LABELS, Box

NewPage = Callable[..., Page]

HAPPY_BGR = (0x00, 0x9F, 0xE6)
PICTURE_SIZE = (1920, 800)
MIN_OVERLAP = 0.6

KEEP_ANSWERS = """() => {
    window.kept = [];
    const parse = JSON.parse;
    JSON.parse = (text, ...rest) => {
        const value = parse(text, ...rest);
        if (Array.isArray(value) && value[0]?.faces) window.kept.push(value[0]);
        return value;
    };
}"""
"""Keeps the results that come over the page's socket."""


@pytest.fixture
def live_page(server: Server, still_browser: Browser, new_page: NewPage) -> Page:
    page = new_page(still_browser, viewport={"width": 1280, "height": 800}, timezone_id="Asia/Tokyo")
    page.add_init_script(f"({KEEP_ANSWERS})()")
    page.goto(server.url)
    live.start(page)
    live.wait_for_label(page, "Happy")
    return page


def saved(page: Page, what: str, count: int) -> dict[str, bytes]:
    """The files that a button of the live view saves, by the ends of their names; nothing is sent."""
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.method))
    downloads: list[Any] = []
    page.on("download", lambda download: downloads.append(download))
    page.click(f'[data-save="{what}"]')
    for _ in range(600):
        if len(downloads) == count:
            break
        page.wait_for_timeout(100)
    assert {download.url.partition(":")[0] for download in downloads} == {"blob"}
    assert set(requests) <= {"GET"}, "only modules are loaded; nothing is sent"
    return {one.suggested_filename.rpartition(".")[2]: one.path().read_bytes() for one in downloads}


def measured(row: dict[str, str]) -> tuple[float, ...]:
    """The numbers of a row, in the order of `received`."""
    names = (
        "face_id",
        "width",
        "FaceRectX",
        "FaceRectY",
        "FaceRectWidth",
        "FaceRectHeight",
        "FaceScore",
        "Yaw",
    )
    probabilities = [prefix + EXPORT_NAMES[label] for prefix in ("", "smooth_") for label in LABELS]
    return tuple(float(row[name]) for name in (*names, *probabilities))


def received(answer: dict[str, Any]) -> tuple[float, ...]:
    """The numbers of a result with one face."""
    (face,) = answer["faces"]
    raw, smooth = face["raw_probabilities"], face["probabilities"]
    numbers = (face["id"], answer["width"], *face["box"], face["score"], face["pose"]["yaw"])
    return (*numbers, *(raw[label] for label in LABELS), *(smooth[label] for label in LABELS))


def decoded(png: bytes) -> ImageArray:
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return np.asarray(image, np.uint8)


def test_my_minute_has_every_result_that_came_and_the_names_of_the_exports(live_page: Page) -> None:
    live_page.wait_for_function("() => window.kept.length > 12")
    live_page.click("#pause")
    live_page.wait_for_timeout(500)
    files = saved(live_page, "minute", count=2)
    rows = list(csv.DictReader(io.StringIO(files["csv"].decode())))
    answers = live_page.evaluate("window.kept")
    assert set(rows[0]) <= {column.name for column in COLUMNS}
    assert 5 < len(rows) <= len(answers)
    assert Counter(map(measured, rows)) <= Counter(received(answer) for answer in answers)
    times = [datetime.fromisoformat(row["timestamp"]).timestamp() for row in rows]
    assert times == sorted(times)
    assert times[-1] - times[0] == pytest.approx(float(rows[-1]["t"]), abs=0.002)
    assert times[-1] == pytest.approx(datetime.now().timestamp(), abs=120)
    assert decoded(files["png"]).shape == (PICTURE_SIZE[1], PICTURE_SIZE[0], 3)


def test_the_chart_of_my_minute_shows_the_measured_part_and_a_gap_before_it(live_page: Page) -> None:
    live_page.wait_for_timeout(4000)
    chart = decoded(saved(live_page, "minute", count=2)["png"])
    row = chart[chart.shape[0] // 3, :, :].astype(int)
    happy = np.nonzero((np.abs(row - HAPPY_BGR) < 6).all(axis=1))[0]
    assert len(happy) > 20
    assert happy.min() > 0.5 * PICTURE_SIZE[0], "nothing was measured in the first half of the minute"
    assert happy.max() > 0.95 * PICTURE_SIZE[0]


def test_times_without_a_face_are_rows_and_times_without_results_are_none(
    server: Server, still_browser: Browser, new_page: NewPage
) -> None:
    page = new_page(still_browser)
    frames = live.answer_frames(
        page, lambda seq: live.result("sad", seq) | ({} if seq % 2 else {"faces": []})
    )
    page.goto(server.url)
    live.start(page)
    live.wait_for_label(page, "Sad")
    page.wait_for_timeout(1000)
    page.click("#pause")
    page.wait_for_timeout(3000)
    page.click("#pause")
    live.wait_for_more(page, frames, count=3)  # two are on their way at a time: one was answered
    rows = list(csv.DictReader(io.StringIO(saved(page, "minute", count=2)["csv"].decode())))
    assert {row["face_id"] for row in rows} == {"", "1"}
    assert all(set(list(row.values())[5:]) == {""} for row in rows if row["face_id"] == "")
    seconds = [float(row["t"]) for row in rows]
    assert max(after - before for before, after in zip(seconds, seconds[1:], strict=False)) >= 2.9


@pytest.mark.parametrize("is_mirrored", [True, False])
def test_a_snapshot_is_the_view_as_seen_in_the_size_of_the_video(live_page: Page, is_mirrored: bool) -> None:
    if not is_mirrored:
        live_page.click("#mirror")
    live_page.click("#landmarks")
    (drawn,) = live.drawing(live_page)["faces"]
    image = decoded(saved(live_page, "snapshot", count=1)["png"])
    assert image.shape == (videos.HEIGHT, videos.WIDTH, 3)
    seen = videos.frame(0, (64, 0, 1.0))
    seen = mirrored(seen) if is_mirrored else seen
    corner = np.mean(cv2.absdiff(image[-120:, -160:], seen[-120:, -160:]))
    assert corner < 14, "the video is mirrored just as it is seen"

    orange = np.asarray((np.abs(image.astype(int) - HAPPY_BGR) < 12).all(axis=2))
    x, y, width, height = (round(value) for value in drawn["box"])
    left = videos.WIDTH - x - width if is_mirrored else x
    inside = orange[y + 10 : y + height - 10]
    columns = np.nonzero(inside.mean(axis=0) > 0.8)[0]
    painted = Box(columns.min(), y, columns.max() - columns.min(), height)
    assert overlap(painted, Box(left, y, width, height)) > MIN_OVERLAP
    assert drawn["label"].startswith("Happy ")
    label = orange[max(0, y - 60) : y - 4, max(0, left - 20) : left + width + 60]
    assert label.sum() > 500, "the label is on the picture"
