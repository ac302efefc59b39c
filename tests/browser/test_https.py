"""`make serve` in a real browser: the live page, and a room from its link, over the server's own https."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, WebSocket

from tests.browser import live
from tests.browser.room_pages import join, make_room, sign_in
from tests.helpers.room_client import TOKEN
from tests.helpers.serving import Server

REFUSED_SOCKET = """() => new Promise((resolve, reject) => {
  document.addEventListener("securitypolicyviolation", (event) => resolve(event.effectiveDirective));
  setTimeout(() => reject(new Error("nothing was refused")), 20_000);
  try { new WebSocket("wss://elsewhere.invalid/"); } catch { /* some browsers throw as well */ }
})"""
"""Opens a socket to another host; the directive that forbids it."""

NewPage = Callable[..., Page]


@pytest.fixture(scope="module")
def https_server() -> Iterator[Server]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # requests warns of the certificate that the server just made
        with Server(
            MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN, MIEN_HTTPS="1", MIEN_REDIRECT_PORT="0"
        ) as running:
            yield running


def test_the_live_page_answers(https_server: Server, still_browser: Browser, new_page: NewPage) -> None:
    page = new_page(still_browser, ignore_https_errors=True)
    page.goto(https_server.url)
    live.start(page)
    live.wait_for_label(page, "Happy")


@pytest.mark.parametrize("served_by", ["server", "https_server"])
def test_the_policy_allows_a_websocket_to_the_own_origin_and_to_no_other(
    request: pytest.FixtureRequest, still_browser: Browser, new_page: NewPage, served_by: str
) -> None:
    own: Server = request.getfixturevalue(served_by)
    page = new_page(still_browser, ignore_https_errors=True)
    sockets: list[WebSocket] = []
    page.on("websocket", lambda socket: sockets.append(socket))
    page.goto(own.url)
    live.start(page)
    live.wait_for_label(page, "Happy")
    assert all(socket.url.startswith(own.url.replace("http", "ws", 1)) for socket in sockets)
    assert not sockets[-1].is_closed()
    beside = page.context.new_page()  # where an error of the policy is no failure
    beside.goto(own.url)
    assert beside.evaluate(REFUSED_SOCKET) == "connect-src"


def test_a_host_sees_who_joins(https_server: Server, still_browser: Browser, new_page: NewPage) -> None:
    host = new_page(still_browser, ignore_https_errors=True)
    sign_in(host, https_server)
    link = make_room(host)
    assert link.startswith(f"{https_server.url}/r/")
    join(new_page(still_browser, ignore_https_errors=True), link, "Anna")
    host.wait_for_selector(".tile .tile-name:text-is('Happy')")
