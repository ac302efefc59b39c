"""What people and experiments do while the connection is lost: nothing is done twice, or said to be done."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import embedding
from tests.browser.embedding import embeddable_room, run
from tests.browser.room_pages import join, open_menu
from tests.browser.wire import Wire
from tests.helpers.experiment_site import ExperimentSite
from tests.helpers.module_server import module_server
from tests.helpers.room_client import TOKEN, api, make_room
from tests.helpers.serving import Server

NewPage = Callable[..., Page]

TIMEOUT_MS = 60_000
"""For what must happen; a busy machine is slow and not wrong."""

HIDDEN = {"participant": "P01", "view": "hidden", "consent": "given"}

server = module_server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN)


@pytest.fixture
def page(still_browser: Browser, new_page: NewPage) -> Page:
    opened = new_page(still_browser)
    opened.set_default_timeout(TIMEOUT_MS)
    return opened


@pytest.fixture
def wire(page: Page) -> Wire:
    return Wire(page)


def cut(page: Page, wire: Wire) -> None:
    """Lose the connection of a participant's page, which notices it."""
    wire.cut()
    page.wait_for_selector("#session[data-state='lost']")


def people(server: Server, room: str) -> list[str]:
    return [one["alias"] for one in api(server, "GET", f"/rooms/{room}").json()["participants"]]


def test_who_leaves_while_the_connection_is_lost_does_not_join_again(
    server: Server, page: Page, wire: Wire
) -> None:
    room = make_room(server)
    join(page, f"{server.url}/r/{room}", "Ada", information="What this is.")
    cut(page, wire)
    wire.asked.clear()
    wire.restore()
    page.click("#stop")
    page.wait_for_selector('[data-screen="left"]', state="visible")
    page.wait_for_timeout(4000)  # in which a page that is still there connects again
    assert "join" not in wire.asked
    assert people(server, room) == ["Ada"]


def test_data_are_not_said_to_be_deleted_while_the_connection_is_lost(
    server: Server, page: Page, wire: Wire
) -> None:
    room = make_room(server)
    join(page, f"{server.url}/r/{room}", "Ada", information="What this is.")
    cut(page, wire)
    open_menu(page)
    page.click("#withdraw")
    page.click("#withdraw-confirm")
    page.wait_for_selector("#withdraw-problem:has-text('nothing has been deleted yet')")
    wire.restore()
    page.wait_for_selector("#session:not([data-state='lost'])")
    assert "withdraw" not in wire.asked
    page.click("#withdraw-confirm")
    page.wait_for_selector('[data-screen="erased"]', state="visible")
    assert people(server, room) == []


def test_the_next_person_at_the_same_page_consents_anew(server: Server, page: Page) -> None:
    room = make_room(server)
    join(page, f"{server.url}/r/{room}", "Ada", information="What this is.")
    page.click("#stop")
    page.click('[data-screen="left"] [data-again]')
    assert not page.is_checked("#consent")
    assert page.input_value("#alias") == ""


@pytest.fixture
def experiment(server: Server, site: ExperimentSite, page: Page, wire: Wire) -> str:
    """A page with a text field that has the focus and a hidden frame; the room's code."""
    room = embeddable_room(server, site, consent_by_experiment=True)
    page.goto(f"{site.origin}/blank")
    page.evaluate("document.body.append(document.createElement('input'))")
    page.focus("input")
    embedding.join(page, server, room, **HIDDEN)
    return room


def test_a_frame_never_takes_the_keyboard_from_the_experiment(
    experiment: str, page: Page, wire: Wire
) -> None:
    page.keyboard.type("a")
    wire.cut()
    page.wait_for_function("() => states.includes('lost')")
    wire.restore()
    page.wait_for_function("() => states.at(-1) === 'idle'")
    page.keyboard.type("b")
    assert page.input_value("input") == "ab"
    assert page.evaluate("document.hasFocus() && document.activeElement.tagName") == "INPUT"


def test_what_was_measured_is_not_complete_where_the_connection_was_lost(
    experiment: str, page: Page, wire: Wire
) -> None:
    collect = "session.collect(start, performance.now())"
    page.evaluate("window.start = performance.now()")
    page.wait_for_timeout(1500)
    assert run(page, collect)["complete"] is True
    wire.cut()
    page.wait_for_function("() => states.includes('lost')")
    assert run(page, collect)["complete"] is False
    wire.restore()
    page.wait_for_function("() => states.at(-1) === 'idle'")
    page.wait_for_timeout(500)
    assert run(page, collect)["complete"] is False
    page.evaluate("window.start = performance.now()")
    page.wait_for_timeout(1500)
    assert run(page, collect)["complete"] is True


def test_consent_in_a_frame_gives_the_keyboard_back_to_the_experiment(
    server: Server, site: ExperimentSite, page: Page
) -> None:
    room = embeddable_room(server, site)
    page.goto(f"{site.origin}/blank")
    page.evaluate("addEventListener('keydown', ({ key }) => { window.pressed = key; })")
    page.evaluate("0")
    page.evaluate(
        """async ([server, room]) => {
            const { Mien } = await import(`${server}/embed/mien.js`);
            Mien.join({ server, room, view: 'hidden' }).then((session) => { window.session = session; });
        }""",
        [server.url, room],
    )
    frame = page.frame_locator("iframe")
    frame.locator("#consent").check()
    frame.locator("#join").press("Enter")
    page.wait_for_function("() => window.session")
    page.wait_for_function("() => document.activeElement === document.body")
    page.keyboard.press("x")
    assert page.evaluate("window.pressed") == "x"


def test_a_small_frame_covers_the_page_while_it_asks_before_data_are_deleted(
    server: Server, site: ExperimentSite, page: Page
) -> None:
    room = embeddable_room(server, site, consent_by_experiment=True)
    page.goto(f"{site.origin}/blank")
    embedding.join(page, server, room, **{**HIDDEN, "view": "small"})
    width = "document.querySelector('iframe').offsetWidth"
    small = page.evaluate(width)
    frame = page.frame_locator("iframe")
    frame.locator("#withdraw").click()
    page.wait_for_function(f"() => {width} === document.documentElement.clientWidth")
    frame.locator("#withdraw-cancel").click()
    page.wait_for_function(f"(small) => {width} === small", arg=small)
