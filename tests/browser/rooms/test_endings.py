"""How a participant's session ends: what happened, thanks, the name to remember, a code and the way back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.room_pages import join, open_menu
from tests.browser.wire import Wire
from tests.helpers.module_server import module_server
from tests.helpers.room_client import TOKEN, api, make_room
from tests.helpers.serving import Server

NewPage = Callable[..., Page]

CODE = "C0DE-8"
PANEL = {"return_url": "https://panel.example/done?who={participant}", "completion_code": CODE}
WAY_BACK = "https://panel.example/done?who=P%2F01"

server = module_server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN)


def consent_and_join(page: Page) -> str:
    """Join the room that a page shows; the alias that the server gives."""
    page.check("#consent")
    page.click("#join")
    page.wait_for_selector("#my-alias:not(:empty)")
    return page.inner_text("#my-alias")


def end(page: Page, server: Server, room: str, ending: str) -> None:
    """Bring about an ending; the page has joined, unless it declines."""

    def remove() -> None:
        (person,) = api(server, "GET", f"/rooms/{room}").json()["participants"]
        api(server, "POST", f"/rooms/{room}/participants/{person['id']}/remove")

    def withdraw() -> None:
        open_menu(page)
        page.click("#withdraw")
        page.click("#withdraw-confirm")

    actions: dict[str, Callable[[], object]] = {
        "declined": lambda: page.click("#decline"),
        "left": lambda: page.click("#stop"),
        "closed": lambda: api(server, "POST", f"/rooms/{room}/close"),
        "deleted": lambda: api(server, "DELETE", f"/rooms/{room}"),
        "removed": remove,
        "erased": withdraw,
    }
    actions[ending]()
    page.wait_for_selector(f'[data-screen="{ending}"]', state="visible")


@pytest.mark.parametrize("ending", ["declined", "left", "closed", "deleted", "removed", "erased"])
def test_every_ending_says_what_happened_thanks_and_offers_a_next_step(
    server: Server, still_browser: Browser, new_page: NewPage, ending: str
) -> None:
    room = make_room(server)
    page = new_page(still_browser)
    page.goto(f"{server.url}/r/{room}")
    if ending != "declined":
        join(page, page.url, "Jo", information="What this is.")
    end(page, server, room, ending)
    screen = page.locator(f'[data-screen="{ending}"]')
    assert "Thank you" in screen.inner_text()
    assert screen.locator(".actions a:visible, .actions button:visible").count() >= 1
    assert screen.locator("[data-return]:visible").count() == 0, "the room has no way back"
    assert page.evaluate("document.getElementById('video').srcObject") is None


@pytest.mark.parametrize("ending", ["left", "closed", "removed"])
def test_whoever_got_an_alias_from_the_server_reads_it_at_the_end(
    server: Server, still_browser: Browser, new_page: NewPage, ending: str
) -> None:
    room = make_room(server)
    page = new_page(still_browser)
    page.goto(f"{server.url}/r/{room}")
    alias = consent_and_join(page)
    end(page, server, room, ending)
    shown = page.inner_text(f'[data-screen="{ending}"]').replace("\u2068", "").replace("\u2069", "")
    assert f"You took part as {alias}." in shown


@pytest.mark.parametrize("ending", ["declined", "left", "closed", "removed", "erased"])
def test_who_took_part_to_the_end_is_led_back_to_the_panel_and_gets_the_code(
    server: Server, still_browser: Browser, new_page: NewPage, ending: str
) -> None:
    room = make_room(server, **PANEL)
    page = new_page(still_browser)
    page.goto(f"{server.url}/r/{room}?pid=P/01")
    if ending != "declined":
        consent_and_join(page)
    end(page, server, room, ending)
    screen = page.locator(f'[data-screen="{ending}"]')
    took_part = ending in ("left", "closed")
    links = screen.locator("[data-return]:visible").all()
    assert [link.get_attribute("href") for link in links] == [WAY_BACK] * took_part
    assert (CODE in screen.inner_text()) is took_part
    assert (CODE in page.content()) is took_part
    assert (WAY_BACK in page.content()) is took_part


def test_a_completion_code_is_seen_again_when_the_page_is_loaded_after_the_room_was_closed(
    server: Server, still_browser: Browser, new_page: NewPage
) -> None:
    room = make_room(server, completion_code="C0DE-7")
    page, stranger = new_page(still_browser), new_page(still_browser)
    join(page, f"{server.url}/r/{room}", "Lea", information="What this is.")
    api(server, "POST", f"/rooms/{room}/close")
    page.wait_for_selector('[data-screen="closed"] [data-code]:text-is("C0DE-7")')
    page.reload()
    page.wait_for_selector('[data-screen="closed"] [data-code]:text-is("C0DE-7")')
    assert "You took part as" in page.inner_text('[data-screen="closed"]')
    stranger.goto(page.url)
    stranger.wait_for_selector('[data-screen="closed"]')
    assert stranger.is_hidden('[data-screen="closed"] [data-completion]'), "they took no part"
    assert "C0DE-7" not in stranger.content()
    assert "You took part as" not in stranger.inner_text('[data-screen="closed"]')


def test_who_had_their_data_deleted_gets_no_code(
    server: Server, still_browser: Browser, new_page: NewPage
) -> None:
    room = make_room(server, completion_code=CODE)
    page = new_page(still_browser)
    join(page, f"{server.url}/r/{room}", "Max", information="What this is.")
    end(page, server, room, "erased")
    api(server, "POST", f"/rooms/{room}/close")
    page.reload()
    page.wait_for_selector('[data-screen="closed"]')
    assert page.is_hidden('[data-screen="closed"] [data-completion]')
    assert "You took part as" not in page.inner_text('[data-screen="closed"]')


def test_who_was_removed_while_the_connection_was_lost_is_told_so(
    server: Server, still_browser: Browser, new_page: NewPage
) -> None:
    room = make_room(server, **PANEL)
    page = new_page(still_browser)
    wire = Wire(page)
    page.goto(f"{server.url}/r/{room}?pid=P/01")
    consent_and_join(page)
    wire.cut()
    page.wait_for_selector("#session[data-state='lost']")
    (person,) = api(server, "GET", f"/rooms/{room}").json()["participants"]
    api(server, "DELETE", f"/rooms/{room}/participants/{person['id']}")
    wire.restore()
    page.wait_for_selector('[data-screen="removed"]', state="visible")
    assert CODE not in page.content() and WAY_BACK not in page.content()
