"""A host's lists and forms in a browser: rooms, a new room, the account."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.room_pages import open_new_room, sign_in
from tests.helpers.module_server import module_server
from tests.helpers.room_client import TOKEN, api, make_room
from tests.helpers.serving import Server

room_server = module_server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN)


@pytest.fixture
def host(room_server: Server, still_browser: Browser, new_page: Callable[..., Page]) -> Page:
    page = new_page(still_browser, permissions=["clipboard-read", "clipboard-write"])
    sign_in(page, room_server)
    return page


def test_the_list_copies_the_link_of_a_room_and_the_room_itself(room_server: Server, host: Page) -> None:
    code = make_room(room_server)
    host.goto(f"{room_server.url}/host?q={code}")
    host.click("[data-copy]")
    host.wait_for_selector("[data-copy]:has-text('Copied')")
    assert host.evaluate("navigator.clipboard.readText()") == f"{room_server.url}/r/{code}"
    host.click("[data-copy]")  # once more, while it says what it did
    host.wait_for_selector("[data-copy]:has-text('Copy link')")
    host.click(".room-item >> text=Copy room")
    host.wait_for_selector("[name=name]")
    assert host.input_value("[name=name]") == "Test room (copy)"


def test_where_the_browser_forbids_copying_the_button_says_so(
    room_server: Server, still_browser: Browser, new_page: Callable[..., Page]
) -> None:
    page = new_page(still_browser)
    page.add_init_script("navigator.clipboard.writeText = () => Promise.reject(new DOMException())")
    sign_in(page, room_server)
    page.goto(f"{room_server.url}/host?q={make_room(room_server)}")
    page.click("[data-copy]")
    page.wait_for_selector("[data-copy]:has-text('Could not copy')")
    page.wait_for_selector("[data-copy]:has-text('Copy link')")


def test_a_new_room_is_previewed_and_translated_before_it_is_made(room_server: Server, host: Page) -> None:
    open_new_room(host)
    host.fill("[name=name]", "Study")
    host.fill("[name=information]", "# Who we are\nAsk [name].")
    host.select_option("[name=language]", "en")
    host.click("text=Preview")
    host.wait_for_selector("#preview .information :is(h2, h3):text-is('Who we are')")
    assert "[name]" in host.inner_text("#preview .form-problem")
    host.select_option("[name=add_language]", "de")
    host.click("text=Add language")
    host.wait_for_selector("[name=translation-de]:focus")
    host.keyboard.type("Fragen Sie Ada.")
    host.click("text=Create room")
    host.wait_for_selector("[name=information][aria-invalid]:focus")  # where the placeholder is
    host.fill("[name=information]", "# Who we are\nAsk Ada.")
    host.click("text=Create room")
    host.wait_for_selector("#room-state:text-is('Open')")
    made = api(room_server, "GET", f"/rooms/{host.url.rsplit('/', 1)[1]}").json()
    assert made["information_translations"] == {"de": "Fragen Sie Ada."}


def test_a_form_whose_button_is_clicked_twice_is_sent_once(room_server: Server, host: Page) -> None:
    name = f"Twice {time.time()}"
    host.goto(f"{room_server.url}/host/account")
    host.fill("form[action$=keys] [name=name]", name)
    host.dblclick("text=Create API key")
    host.wait_for_selector(".secret")
    assert host.locator(f"li:has-text('{name}')").count() == 1


def test_deleting_a_key_asks_first_and_escape_keeps_it(room_server: Server, host: Page) -> None:
    host.goto(f"{room_server.url}/host/account")
    host.fill("form[action$=keys] [name=name]", "Lab PC")
    host.click("text=Create API key")
    host.wait_for_selector(".secret")
    host.wait_for_load_state()  # with the script that opens the dialogs
    for confirmed in (False, True):
        host.focus("li:has-text('Lab PC') >> [data-dialog]")
        host.keyboard.press("Enter")
        host.wait_for_selector("dialog[open]:has-text('“Lab PC”')")
        host.wait_for_selector("dialog[open] button:focus:text-is('Cancel')")
        if not confirmed:
            host.keyboard.press("Escape")
            host.wait_for_selector("dialog[open]", state="detached")
    host.click("dialog[open] .is-grave")
    host.wait_for_selector("li:has-text('Lab PC')", state="detached")


def test_another_host_is_added_and_deleted(room_server: Server, host: Page) -> None:
    host.goto(f"{room_server.url}/host/account")
    host.fill("form[action$=hosts] [name=name]", "Grace H.")
    host.fill("form[action$=hosts] [name=password]", "short")
    host.evaluate("document.querySelector('form[action$=hosts]').noValidate = true")
    host.click("text=Add host")
    host.wait_for_selector("form[action$=hosts] [name=password][aria-invalid]:focus")
    assert host.input_value("form[action$=hosts] [name=name]") == "Grace H."
    host.keyboard.type("long enough")
    host.keyboard.press("Enter")
    host.wait_for_selector(".form-done:has-text('Grace H. can sign in now')")
    host.wait_for_load_state()  # with the script that opens the dialogs
    host.click("li:has-text('Grace H.') >> [data-dialog]")
    host.click("dialog[open] .is-grave")
    host.wait_for_selector("li:has-text('Grace H.')", state="detached")
