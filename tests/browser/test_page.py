"""How the page looks, reads and is operated."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import live
from tests.helpers.serving import Server
from webapp.protocol import LABELS

NewPage = Callable[..., Page]

SCREENS = ("start", "opening", "live", "stopped", "denied", "missing", "in-use", "unplugged", "insecure")
AA_CONTRAST = 4.5


@pytest.fixture
def live_page(server: Server, still_browser: Browser, new_page: NewPage) -> Callable[..., Page]:
    """The live view of a page whose frames are answered by `answer` in the server's place."""

    def open_(answer: Callable[[int], live.Answer]) -> Page:
        page = new_page(still_browser)
        live.answer_frames(page, answer)
        page.goto(server.url)
        live.start(page)
        return page

    return open_


def test_everything_can_be_done_by_keyboard(
    server: Server, still_browser: Browser, new_page: NewPage
) -> None:
    page = new_page(still_browser)
    page.goto(server.url)

    def tab_to(element_id: str) -> None:
        for _ in range(12):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.id") == element_id:
                return
        pytest.fail(f"the keyboard does not reach {element_id}")

    while not page.evaluate("document.activeElement.matches('[data-start]')"):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement !== document.body"), "the page ends before its button"
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none", "the focus must be seen"
    page.keyboard.press("Enter")
    live.wait_for_label(page, "Happy")
    tab_to("pause")
    page.keyboard.press("Space")
    assert page.inner_text("#pause") == "Resume"
    tab_to("landmarks")
    page.keyboard.press("Space")
    assert page.get_attribute("#landmarks", "aria-pressed") == "false"
    tab_to("mirror")
    tab_to("camera")
    tab_to("fullscreen")
    tab_to("stop")
    page.keyboard.press("Enter")
    page.wait_for_selector('[data-screen="stopped"]', state="visible")


def test_a_screen_reader_hears_a_change_and_not_more_than_one_a_second(
    live_page: Callable[..., Page],
) -> None:
    page = live_page(lambda seq: live.result(("happy", "sad", "fear")[seq // 5 % 3], seq))
    live.wait_for_label(page, "Sad")
    changes = live.changes_s(page, "announcer", at_least=3)
    gaps = [after[0] - before[0] for before, after in itertools.pairwise(changes)]
    assert min(gaps) >= 0.9, "timers of a busy browser are late by different times"
    assert all(after[1] != before[1] for before, after in itertools.pairwise(changes))


def test_a_screen_reader_is_left_in_peace_while_the_expression_stays(live_page: Callable[..., Page]) -> None:
    page = live_page(lambda seq: live.result("happy", seq, confidence=0.5 + seq % 40 / 100))
    live.wait_for_label(page, "Happy")
    page.wait_for_selector("#announcer:text-is('Happy')", state="attached")
    assert live.changes_s(page, "announcer", seconds=3) == []


def test_numbers_change_at_most_four_times_a_second(live_page: Callable[..., Page]) -> None:
    page = live_page(lambda seq: live.result("happy", seq, confidence=0.5 + seq * 7 % 40 / 100))
    live.wait_for_label(page, "Happy")
    changes = live.changes_s(page, "readout-number", at_least=8)
    assert len(changes) <= 4 * (changes[-1][0] - changes[0][0]) + 2
    drawn = [drawing for drawing in live.drawings(page, seconds=5) if drawing["faces"]]
    labels = [drawing["faces"][0]["label"] for drawing in drawn]
    at_box = sum(before != after for before, after in itertools.pairwise(labels))
    assert at_box <= 4 * (drawn[-1]["time_ms"] - drawn[0]["time_ms"]) / 1000 + 2


@pytest.mark.parametrize("label", LABELS)
def test_each_expression_is_drawn_in_its_colour_with_its_name(
    live_page: Callable[..., Page], label: str
) -> None:
    page = live_page(lambda seq: live.result(label, seq, confidence=0.75))
    live.wait_for_label(page, label.capitalize())
    (face,) = live.drawing(page)["faces"]
    assert face["label"] == f"{label.capitalize()} 75%"
    assert face["measured"] is not None, "no box of this colour was painted"
    in_style = page.evaluate(
        "name => getComputedStyle(document.documentElement).getPropertyValue(name)", f"--{label}"
    )
    assert face["colour"].lower() == in_style.strip().lower()


def test_text_on_the_colours_of_expressions_can_be_read(live_page: Callable[..., Page]) -> None:
    page = live_page(lambda seq: live.result("happy", seq))
    contrasts = page.evaluate(
        """async () => {
            const { COLOURS, contrast, textColourOn } = await import("/static/js/shared/expressions.js");
            return Object.values(COLOURS).map((colour) => contrast(colour, textColourOn(colour)));
        }"""
    )
    assert len(contrasts) == len(LABELS)
    assert min(contrasts) >= AA_CONTRAST


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_follow_the_system_and_can_be_read(
    server: Server, still_browser: Browser, new_page: NewPage, scheme: str
) -> None:
    page = new_page(still_browser, color_scheme=scheme)
    page.goto(server.url)
    contrasts = page.evaluate(
        """async () => {
            const { contrast } = await import("/static/js/shared/expressions.js");
            const style = getComputedStyle(document.documentElement);
            const value = (name) => style.getPropertyValue(name).trim();
            return ["--ink", "--ink-soft"].flatMap((ink) =>
                ["--paper", "--surface"].map((paper) => contrast(value(ink), value(paper))));
        }"""
    )
    assert min(contrasts) >= AA_CONTRAST
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    brightness = sum(int(part) for part in background.strip("rgb()").split(","))
    assert (brightness < 150) is (scheme == "dark")


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_no_screen_scrolls_sideways(
    server: Server, still_browser: Browser, new_page: NewPage, width: int
) -> None:
    page = new_page(still_browser, viewport={"width": width, "height": 700})
    page.goto(server.url)
    live.start(page)
    live.wait_for_label(page, "Happy")
    for screen in SCREENS:
        page.evaluate(
            """name => document.querySelectorAll("[data-screen]").forEach((screen) => {
                screen.hidden = screen.dataset.screen !== name;
            })""",
            screen,
        )
        overflow = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert overflow <= 0, f"{screen} is {overflow} pixels wider than the window"


def test_the_start_screen_says_what_happens_to_the_frames(
    server: Server, still_browser: Browser, new_page: NewPage
) -> None:
    page = new_page(still_browser)
    page.goto(server.url)
    text = page.inner_text('[data-screen="start"]')
    for statement in ("analyzed in memory", "Nothing is stored", "not what a person feels"):
        assert statement in text


def test_the_choice_between_smooth_and_responsive_goes_to_the_server_and_is_kept(
    server: Server, still_browser: Browser, new_page: NewPage
) -> None:
    page = new_page(still_browser)
    sent = live.sent_meta(page)
    page.goto(server.url)
    live.start(page)
    live.wait_for_label(page, "Happy")
    assert all("smoothing_s" not in meta for meta in sent), "the server decides until somebody chooses"

    page.focus("#smoothing")
    page.keyboard.press("Home")
    live.wait_for(page, lambda: sent[-1].get("smoothing_s") == 1)
    assert page.get_attribute("#smoothing", "aria-valuetext") == "1.00 s"

    page.reload()
    live.start(page)
    live.wait_for_label(page, "Happy")
    assert page.input_value("#smoothing") == "0"
    assert sent[-1]["smoothing_s"] == 1


def test_a_page_in_another_language_shows_it_from_its_first_frame_on(
    server: Server, still_browser: Browser, new_page: NewPage
) -> None:
    page = new_page(still_browser, locale="de-AT")
    live.answer_frames(page, lambda seq: live.result("happy", seq))
    page.goto(server.url)
    assert page.evaluate("document.documentElement.lang") == "de"
    live.start(page)
    live.wait_for_label(page, "Freude")
    page.wait_for_function("() => document.getElementById('readout-name').textContent === 'Freude'")


def test_the_language_is_chosen_by_keyboard_and_without_scripts(
    server: Server, still_browser: Browser, new_page: NewPage
) -> None:
    page = new_page(still_browser, java_script_enabled=False)
    page.goto(f"{server.url}/r")
    page.focus(".languages summary")
    page.keyboard.press("Enter")
    page.focus(".languages [value=ar]")
    page.keyboard.press("Enter")
    page.wait_for_selector("html[lang=ar][dir=rtl]")
    assert page.url == f"{server.url}/r"
