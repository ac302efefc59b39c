"""Behind a reverse proxy, limits count each client's own address, and links carry the proxy's https."""

from __future__ import annotations

from itertools import count

import pytest
import requests

from tests.helpers.module_server import module_server
from tests.helpers.room_client import TIMEOUT_S, TOKEN, SocketClient, code_of
from tests.helpers.serving import Server

TRIES = 14


alone = module_server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN)


proxied = module_server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN, MIEN_PROXIES="1")


def guess(server: Server, forwarded_for: str) -> int:
    """The status of a request with a wrong token, as a proxy or a forger sends it on."""
    headers = {"Authorization": "Bearer guess", "X-Forwarded-For": forwarded_for}
    return requests.get(f"{server.url}/api/v1/rooms", headers=headers, timeout=TIMEOUT_S).status_code


def test_without_proxies_a_forged_address_is_ignored() -> None:
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN) as server:
        assert [guess(server, f"198.51.100.{number}") for number in range(TRIES)][-1] == 429


def test_behind_a_proxy_each_client_has_its_own_limit(proxied: Server) -> None:
    assert [guess(proxied, f"198.51.100.{number}") for number in range(TRIES)] == TRIES * [401]
    assert [guess(proxied, "203.0.113.7") for _ in range(TRIES)][-1] == 429
    assert guess(proxied, "203.0.113.8") == 401


def test_behind_a_proxy_what_the_client_itself_puts_in_front_is_ignored(proxied: Server) -> None:
    forged = [guess(proxied, f"198.51.100.{number}, 203.0.113.9") for number in range(TRIES)]
    assert forged[-1] == 429


@pytest.mark.parametrize(("own_address", "last"), [(False, "too_many_attempts"), (True, "no_such_room")])
def test_codes_that_are_guessed_over_socketio_are_counted_likewise(
    proxied: Server, own_address: bool, last: str
) -> None:
    numbers = count()
    for _ in range(25):
        client = SocketClient()
        address = f"192.0.2.{next(numbers) if own_address else 250}"
        client.connect(proxied.url, headers={"X-Forwarded-For": address})
        code = code_of(client.call("join", {"room": "GUESS234", "consent": True}, timeout=TIMEOUT_S))
        client.disconnect()
    assert code == last


@pytest.mark.parametrize(("server_name", "scheme"), [("alone", "http"), ("proxied", "https")])
def test_links_and_cookies_take_the_scheme_of_a_proxy_that_is_trusted(
    request: pytest.FixtureRequest, server_name: str, scheme: str
) -> None:
    server = request.getfixturevalue(server_name)
    sent_on = {
        "Host": "localhost:8443", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"
    }  # fmt: skip
    made = requests.post(
        f"{server.url}/api/v1/rooms",
        json={"name": "Room", "information": "Text"},
        headers={"Authorization": f"Bearer {TOKEN}", **sent_on},
        timeout=TIMEOUT_S,
    ).json()
    assert made["join_url"] == f"{scheme}://localhost:8443/r/{made['code']}"
    page = requests.get(
        f"{server.url}/host?token={TOKEN}", headers=sent_on, timeout=TIMEOUT_S, allow_redirects=False
    )
    assert ("Secure" in page.headers["Set-Cookie"]) == (scheme == "https")
