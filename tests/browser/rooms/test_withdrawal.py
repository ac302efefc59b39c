"""A participant has their data deleted: the page asks first, and says so if it did not work."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.room_pages import join, open_menu
from tests.browser.wire import Answer, Wire, refusal
from tests.helpers.module_server import module_server
from tests.helpers.room_client import TOKEN, api, make_room
from tests.helpers.serving import Server

NewPage = Callable[..., Page]

server = module_server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN)


def test_deleting_ones_data_asks_first_and_can_be_thought_better_of(
    server: Server, still_browser: Browser, new_page: NewPage
) -> None:
    room = make_room(server)
    page = new_page(still_browser)
    join(page, f"{server.url}/r/{room}", "Hugo", information="What this is.")
    assert page.is_hidden("#withdraw"), "it is in the menu"
    open_menu(page)
    page.click("#withdraw")
    page.wait_for_selector("#withdraw-cancel:focus")  # Enter deletes nothing
    page.keyboard.press("Escape")
    page.wait_for_selector("#withdraw-dialog", state="hidden")
    assert page.is_visible('[data-screen="live"]')
    (person,) = api(server, "GET", f"/rooms/{room}").json()["participants"]
    assert person["alias"] == "Hugo"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (None, "The server did not answer, so nothing has been deleted yet."),
        (refusal("store_unavailable"), "Nothing has been deleted yet. The database does not work"),
        (refusal("mystery", "The disk is full."), "Nothing has been deleted yet. The disk is full."),
    ],
    ids=["no answer", "a known problem", "another problem"],
)
def test_a_deletion_that_did_not_work_says_why_and_can_be_tried_again(
    server: Server, still_browser: Browser, new_page: NewPage, answer: Answer | None, said: str
) -> None:
    room = make_room(server)
    page = new_page(still_browser)
    wire = Wire(page)
    join(page, f"{server.url}/r/{room}", "Ines", information="What this is.")
    wire.answers["withdraw"] = answer
    open_menu(page)
    page.click("#withdraw")
    page.click("#withdraw-confirm")
    page.wait_for_selector(f"#withdraw-problem:has-text('{said}')")
    assert ("did not answer" in page.inner_text("#withdraw-problem")) is (answer is None)
    del wire.answers["withdraw"]
    page.click("#withdraw-confirm")
    page.wait_for_selector('[data-screen="erased"]', state="visible")
    assert api(server, "GET", f"/rooms/{room}").json()["participants"] == []
