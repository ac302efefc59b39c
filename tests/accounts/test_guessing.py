"""Passwords, keys, tokens and codes cannot be guessed by trying."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.helpers.host_browser import PASSWORD, Browser, signed_in
from tests.helpers.room_client import TIMEOUT_S, TOKEN, SocketClient, api, code_of, make_room
from tests.helpers.serving import Server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN) as running:
        yield running


def test_attempts_at_passwords_and_tokens_are_limited() -> None:
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN) as server:
        browser = Browser(server)
        browser.open("/host")
        form = {"name": "Ada", "password": "guess"}
        assert [browser.open("/host/login", **form).status_code for _ in range(14)][-1] == 429
        assert [browser.open("/host?token=guess").status_code for _ in range(14)][-1] == 429
        assert [api(server, "GET", "/rooms", token="guess").status_code for _ in range(14)][-1] == 429


@pytest.fixture(scope="module")
def proxied() -> Iterator[Server]:
    """A server to which each test can come from an address of its own."""
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN, MIEN_PROXIES="1") as running:
        yield running


def bearer_from(address: str, secret: str = "guess") -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}", "X-Forwarded-For": address}


@pytest.mark.parametrize("path", ["/host", "/host/account", "/r", "/r/ABCD2345", "/api/v1/rooms"])
def test_keys_and_tokens_are_guessed_on_no_page_for_long(proxied: Server, path: str) -> None:
    address = f"198.51.100.{sum(map(ord, path)) % 90}"

    def status(secret: str) -> int:
        headers = bearer_from(address, secret)
        return requests.get(proxied.url + path, headers=headers, timeout=TIMEOUT_S).status_code

    statuses = [status("guess") for _ in range(14)]
    assert 429 not in statuses[:10]
    assert statuses[10:] == 4 * [429]
    assert status(TOKEN) == 429, "nor is a right one told from a wrong one"


def test_keys_and_tokens_are_guessed_by_no_board_for_long(proxied: Server) -> None:
    client = SocketClient()
    client.connect(proxied.url, headers=bearer_from("198.51.100.99"))
    answers = [code_of(client.call("subscribe", {"room": "ABCD2345"}, timeout=TIMEOUT_S)) for _ in range(14)]
    client.disconnect()
    assert answers == 10 * ["unauthorized"] + 4 * ["too_many_attempts"]


def test_of_passwords_that_are_tried_at_once_ten_are_checked() -> None:
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN) as server, ThreadPoolExecutor(40) as threads:
        browser = Browser(server)
        browser.open("/host")
        form = {"name": "Ada", "password": "guess", "csrf_token": browser.token}

        def attempt(_: int) -> int:
            return requests.post(
                f"{server.url}/host/login", data=form, cookies=browser.cookies, timeout=60
            ).status_code

        statuses = Counter(threads.map(attempt, range(60)))
    assert statuses[429] == 50
    assert statuses[401] + statuses[503] == 10, "a busy machine may not get around to some"


def test_pages_of_other_sites_do_not_use_up_a_hosts_attempts() -> None:
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN) as server:
        host = signed_in(server)
        host.cookies.clear()
        form = {"name": "Ada", "password": "guess"}
        for _ in range(12):
            forged = requests.post(f"{server.url}/host/login", data=form, timeout=TIMEOUT_S)
            linked = requests.get(f"{server.url}/host?token=guess", timeout=TIMEOUT_S)
        assert (forged.status_code, linked.status_code) == (403, 429)
        host.open("/host")
        assert host.open("/host/login", name="Ada", password=PASSWORD).status_code == 302


def test_right_passwords_are_no_attempts_at_guessing(server: Server) -> None:
    signed_in(server)
    for _ in range(12):
        browser = Browser(server)
        browser.open("/host")
        assert browser.open("/host/login", name="Ada", password=PASSWORD).status_code == 302


def test_after_wrong_codes_the_right_one_still_opens_its_room(server: Server) -> None:
    room = make_room(server)
    statuses = [
        requests.get(f"{server.url}/r/GUESS{number:03}", timeout=TIMEOUT_S).status_code
        for number in range(22)
    ]
    assert statuses[-1] == 429
    assert requests.get(f"{server.url}/r/{room}", timeout=TIMEOUT_S).status_code == 200


def test_wrong_codes_count_together_on_pages_and_when_joining(proxied: Server) -> None:
    address = {"X-Forwarded-For": "198.51.100.98"}
    for number in range(12):
        url = f"{proxied.url}/r/GUESS{number:03}"
        assert requests.get(url, headers=address, timeout=TIMEOUT_S).status_code == 404
    client = SocketClient()
    client.connect(proxied.url, headers=address)
    join = {"room": "GUESS234", "alias": "", "consent": True}
    codes = [code_of(client.call("join", join, timeout=TIMEOUT_S)) for _ in range(9)]
    client.disconnect()
    assert codes == 8 * ["no_such_room"] + ["too_many_attempts"]


def test_without_a_token_of_its_own_a_server_takes_no_empty_one() -> None:
    with Server(MIEN_WORKERS="1") as server:
        assert api(server, "GET", "/rooms", token=" ").status_code == 401
        assert Browser(server).open("/host?token=").status_code == 401
