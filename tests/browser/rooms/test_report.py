"""The report in a real browser: labels keep clear of each other, and axe finds nothing wrong."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.measuring import CONTRAST, PAPER_PX, Rules, faults, wider_than_paper
from tests.browser.screenshots import made_up_face
from tests.helpers.exports import CODE, START_MS, add_marker, add_person, exported, new_archive, sample
from webapp.store.database import open_database

SPAN_S = 120
ALIASES = ("Anna", "An alias as long as somebody may type it in", "张伟", "WWWW@@@@WWWW")
LABELS = ("Film begins", "刺激開始", "WWWWWWWWWWWWWWWWWWWWWWWWWWWW", "a marker whose label is long", "x")

ALL_RULES: Rules = {"resultTypes": ["violations"]}
"""Those of axe's authors, too."""

CROWD = tuple(f"{alias} {number}" for number in range(3) for alias in ALIASES)
MARKERS_ON_PAPER = 40

VIEWPORTS = {"desktop": (1280, 800), "phone": (390, 844)}

BOXES = """
    elements => elements.map(element => {
      const {x, y, width, height} = element.getBBox();
      const {a, d, e, f} = element.ownerSVGElement.getScreenCTM().inverse().multiply(element.getScreenCTM());
      return {left: x * a + e, right: (x + width) * a + e, top: y * d + f, bottom: (y + height) * d + f,
              text: element.textContent};
    })
"""


def made_report(folder: Path, markers: int, aliases: Sequence[str] = ALIASES) -> Path:
    """A report of some people, of whom the fourth shows no face."""
    url = f"sqlite:///{folder / 'test.sqlite'}"
    archive = new_archive(url)
    archive.recordings.start_recording(CODE, START_MS)
    archive.recordings.stop_recording(1, START_MS + 1000 * SPAN_S)
    for number, alias in enumerate(aliases):
        add_person(archive, f"p{number}", alias)
        shown = [made_up_face(number, 2.0 * frame) if number != 3 else None for frame in range(SPAN_S)]
        samples = [sample(f"p{number}", frame, frame, face) for frame, face in enumerate(shown)]
        archive.recordings.add_samples(samples)
    chance = random.Random(markers)
    for number in range(markers):
        add_marker(archive, f"{chance.choice(LABELS)} {number}", chance.uniform(0, SPAN_S))
    archive.close()
    engine = open_database(url)
    path = folder / "report.html"
    path.write_bytes(exported(engine)["report.html"])
    engine.dispose()
    return path


@pytest.fixture(scope="module", params=[0, 40])
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_report(tmp_path_factory.mktemp("report"), request.param)


@pytest.fixture(params=list(VIEWPORTS))
def page(request: pytest.FixtureRequest, still_browser: Browser, report: Path) -> Iterator[Page]:
    width, height = VIEWPORTS[request.param]
    context = still_browser.new_context(viewport={"width": width, "height": height})
    opened = context.new_page()
    opened.goto(report.as_uri())
    yield opened
    context.close()


def collisions(boxes: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [
        (one["text"], other["text"])
        for one, other in combinations(boxes, 2)
        if one["left"] < other["right"]
        and other["left"] < one["right"]
        and one["top"] < other["bottom"]
        and other["top"] < one["bottom"]
    ]


def test_no_label_in_a_figure_covers_another(page: Page) -> None:
    figures = page.query_selector_all("figure svg")
    assert len(figures) == 2 + len(ALIASES)
    for figure in figures:
        boxes = figure.eval_on_selector_all(".mark-label, .time, .axis:not([transform]), .legend text", BOXES)
        assert collisions(boxes) == []


def test_the_page_is_as_wide_as_its_window_and_wide_parts_scroll(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for part in page.query_selector_all(".wide"):
        fits = part.evaluate("part => part.scrollWidth <= part.clientWidth || part.tabIndex === 0")
        assert fits


def test_axe_finds_nothing_wrong(page: Page) -> None:
    assert faults(page, ALL_RULES) == ""
    page.emulate_media(color_scheme="dark")
    assert faults(page, CONTRAST) == ""


def test_on_paper_expressions_are_told_apart_without_colour(page: Page) -> None:
    page.emulate_media(media="print")
    fills = page.eval_on_selector_all(
        "figure .legend rect", "marks => [...new Set(marks.map(mark => getComputedStyle(mark).fill))]"
    )
    assert len(fills) == 7 and all("url" in fill and "#hatch-" in fill for fill in fills)
    paths = page.eval_on_selector_all(".patterns path", "paths => paths.map(path => path.getAttribute('d'))")
    assert len(set(paths)) == 7


def test_on_paper_nothing_of_a_large_report_is_wider_than_the_page(
    still_browser: Browser, tmp_path: Path
) -> None:
    report = made_report(tmp_path, MARKERS_ON_PAPER, CROWD)
    context = still_browser.new_context(viewport={"width": PAPER_PX, "height": 1000})
    page = context.new_page()
    page.goto(report.as_uri())
    assert page.locator("figure").count() == 2 + len(CROWD)
    assert wider_than_paper(page) == []
    page.emulate_media(media="print")
    for figure in page.query_selector_all("figure svg"):
        boxes = figure.eval_on_selector_all(".mark-label, .time", BOXES)
        assert collisions(boxes) == []
    context.close()
