"""The example experiment runs as it is under jsPsych from npm; its data are those of the room's export."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.embedding import embeddable_room, milliseconds, record, rows_captured_at
from tests.browser.measuring import RULES, faults, wider_than_paper
from tests.helpers.experiment_site import ExperimentSite
from tests.helpers.room_client import export, rows
from tests.helpers.serving import PROJECT_ROOT, Server
from webapp.export.codebook import EXPORT_NAMES

NewPage = Callable[..., Page]

TIMEOUT_MS = 120_000
TRIALS = 6

CAPTURED = """() => jsPsych.extensions.mien.session.measured(0).results
    .map(({ time }) => performance.timeOrigin + time)"""
"""When each frame of the session was captured, in milliseconds since 1970; the export rounds that."""

pytestmark = pytest.mark.skipif(
    not (PROJECT_ROOT / "node_modules" / "jspsych").is_dir(), reason="npm ci brings jsPsych"
)


@pytest.fixture
def server(room_server: Server) -> Server:
    return room_server


def open_example(page: Page, site: ExperimentSite, server: Server, room: str, **address: object) -> None:
    query = "".join(f"&{name}={value}" for name, value in address.items())
    page.goto(f"{site.origin}/index.html?server={server.url}&room={room}{query}")


def pass_check(page: Page) -> None:
    """Wait until the check lets people continue, and do so."""
    page.locator("button.jspsych-btn:enabled:has-text('Continue')").click(timeout=TIMEOUT_MS)


def data_of(page: Page) -> list[dict[str, Any]]:
    """The trials that the example shows at its end."""
    page.wait_for_function("() => window.finished === true", timeout=TIMEOUT_MS)
    found: list[dict[str, Any]] = json.loads(page.inner_text("#data"))
    return found


def test_the_example_runs_and_each_trial_has_what_the_export_says(
    server: Server, site: ExperimentSite, still_browser: Browser, new_page: NewPage
) -> None:
    room = embeddable_room(server, site, consent_by_experiment=True, participant_markers=True)
    record(server, room)
    page = new_page(still_browser)
    open_example(page, site, server, room, pid="P07", trials=TRIALS, consent="given")
    page.wait_for_selector("text=Your face is visible.", timeout=TIMEOUT_MS)
    assert faults(page, RULES, "#jspsych-content") == ""
    pass_check(page)
    trials = data_of(page)
    assert wider_than_paper(page) == []
    assert len(trials) == TRIALS and all(trial["mien_complete"] for trial in trials)
    captured_ms = page.evaluate(CAPTURED)
    files = export(server, room)
    samples, markers = rows(files["samples.csv"]), rows(files["markers.csv"])
    indices = [trial["trial_index"] for trial in trials]
    expected = [f"trial {index} {what}" for index in indices for what in ("start", "end")]
    assert [one["label"] for one in markers] == expected
    for trial, start, end in zip(trials, markers[::2], markers[1::2], strict=True):
        assert milliseconds(start["time"]) == pytest.approx(trial["mien_start"], abs=1)
        assert milliseconds(end["time"]) == pytest.approx(trial["mien_end"], abs=1)
        check_trial(trial, samples, captured_ms)
    assert {one["participant_label"] for one in samples} == {"P07"}


def check_trial(trial: dict[str, Any], samples: list[dict[str, str]], captured_ms: list[float]) -> None:
    """The trial's columns are those of the rows that were captured in its time, and of no others."""
    start_ms, end_ms = trial["mien_start"], trial["mien_end"]
    within = rows_captured_at(samples, [at_ms for at_ms in captured_ms if start_ms <= at_ms <= end_ms])
    assert trial["mien_frames"] == len(within)
    if not within:
        return  # a very slow machine
    for label, name in EXPORT_NAMES.items():
        mean = statistics.mean(float(row[name]) for row in within)
        assert trial[f"mien_{label}"] == pytest.approx(mean, abs=1e-4)
    assert trial["mien_valence"] == pytest.approx(
        statistics.mean(float(row["valence"]) for row in within), abs=2e-4
    )
    assert trial["mien_quality"] == pytest.approx(
        statistics.mean(float(row["FaceScore"]) for row in within), abs=1e-4
    )
    assert trial["mien_face_share"] == 1 and trial["mien_strongest"] == "happy"
    assert 0 <= trial["mien_strongest_time"] <= end_ms - start_ms


def test_the_check_says_why_there_is_no_session_and_can_try_again(
    server: Server, site: ExperimentSite, still_browser: Browser, new_page: NewPage
) -> None:
    room = embeddable_room(server, site)  # it asks for consent itself
    page = new_page(still_browser)
    open_example(page, site, server, room, consent="given", trials=1)
    page.wait_for_selector("text=(consent_required)")
    assert faults(page, RULES, "#jspsych-content") == ""
    page.click("text=Try again")
    page.wait_for_selector("text=(consent_required)")
    assert page.is_disabled("button:has-text('Continue')")


CHECK_OF_PROBLEM = """async ([server, code, texts]) => {
    const { MienCheckPlugin } = await import(`${server}/embed/jspsych-mien.js`);
    const mien = { ready: Promise.resolve(), problem: { code, message: "In English." }, session: null };
    new MienCheckPlugin({ extensions: { mien } }).trial(document.body, { texts, skip_after: null });
}"""


@pytest.mark.parametrize(
    ("code", "texts", "shown"),
    [
        ("camera_denied", {}, "This page is not allowed to use your camera."),
        ("camera_denied", {"problems": {"camera_denied": "Kamera erlauben."}}, "Kamera erlauben."),
        ("room_full", {"problems": {"camera_denied": "Kamera erlauben."}}, "The session is full."),
        ("version_unsupported", {}, "In English. (version_unsupported)"),
    ],
)
def test_the_check_tells_people_what_to_do_in_words_that_an_experiment_can_replace(
    server: Server,
    site: ExperimentSite,
    still_browser: Browser,
    new_page: NewPage,
    code: str,
    texts: dict[str, object],
    shown: str,
) -> None:
    page = new_page(still_browser)
    page.goto(f"{site.origin}/blank")
    page.evaluate(CHECK_OF_PROBLEM, [server.url, code, texts])
    page.wait_for_selector("button:has-text('Try again')")
    assert shown in page.inner_text("body")
    assert (f"({code})" in page.inner_text("body")) is (code == "version_unsupported")


def test_a_camera_that_is_not_allowed_is_explained_in_the_example(
    server: Server, site: ExperimentSite, launch: Callable[..., Browser], new_page: NewPage
) -> None:
    room = embeddable_room(server, site, consent_by_experiment=True)
    page = new_page(launch(None, allowed=False))
    open_example(page, site, server, room, consent="given", trials=1)
    page.wait_for_selector("text=allow it, then try again", timeout=TIMEOUT_MS)
