from __future__ import annotations

import pytest
import requests

from tests.helpers.module_server import module_server
from tests.helpers.room_client import TIMEOUT_S, TOKEN
from tests.helpers.serving import Server
from webapp.server.client_address import client_address

proxied = module_server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN, MIEN_PROXIES="1")


@pytest.mark.parametrize(
    ("named", "proxies", "address"),
    [
        ("203.0.113.9", 1, "203.0.113.9"),
        ("127.0.0.1, 203.0.113.9", 1, "203.0.113.9"),
        ("198.51.100.1,203.0.113.9 , 10.0.0.1", 2, "203.0.113.9"),
        ('", 203.0.113.9', 1, "203.0.113.9"),
        ('203.0.113.9, "', 1, ""),
        ("203.0.113.9:4711", 1, "203.0.113.9"),
        ("2001:db8::1", 1, "2001:db8::1"),
        ("[2001:DB8::1]:443", 1, "2001:db8::1"),
        ("unknown", 1, ""),
        ("", 1, ""),
        ("203.0.113.9", 2, ""),
    ],
)
def test_the_address_is_the_one_that_the_nearest_trusted_proxy_appended(
    named: str, proxies: int, address: str
) -> None:
    assert client_address(named, proxies) == address


@pytest.mark.parametrize("named", ['", 203.0.113.9', "203.0.113.9", '"', "", "127.0.0.1, unknown"])
def test_nobody_behind_a_proxy_is_taken_for_this_machine(proxied: Server, named: str) -> None:
    """Programs of this machine read the metrics without a key."""
    headers = {"X-Forwarded-For": named}
    asked = requests.get(f"{proxied.url}/metrics", headers=headers, timeout=TIMEOUT_S)
    assert asked.status_code in (401, 403)
    assert requests.get(f"{proxied.url}/metrics", timeout=TIMEOUT_S).status_code == 200
