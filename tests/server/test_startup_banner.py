from __future__ import annotations

import ipaddress

import pytest

from webapp.config import Settings
from webapp.server import startup_banner as announce
from webapp.server.startup_banner import page_urls, serving_lines

LAB = Settings(host="0.0.0.0", port=8443, https=True)


@pytest.fixture(autouse=True)
def in_a_lab(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = [ipaddress.ip_address("192.0.2.7"), ipaddress.ip_address("2001:db8::7")]
    monkeypatch.setattr(announce, "network_addresses", lambda: addresses)
    monkeypatch.setattr(announce, "host_names", lambda: ["lab-pc", "localhost"])


def test_on_this_machine_alone_it_says_localhost_and_shows_no_code() -> None:
    lines = serving_lines(Settings())
    assert page_urls(Settings()) == ["http://localhost:5000/"]
    assert "█" not in lines and "authority" not in lines


def test_on_the_network_it_lists_every_address_and_name_that_is_served() -> None:
    assert page_urls(LAB) == [
        "https://192.0.2.7:8443/",
        "https://lab-pc:8443/",
        "https://localhost:8443/",
    ]


def test_on_the_network_it_shows_a_code_and_where_the_authority_is() -> None:
    lines = serving_lines(LAB)
    assert "█" in lines
    assert "https://192.0.2.7:8443/authority.crt" in lines


def test_an_ipv6_address_is_written_in_brackets() -> None:
    assert "https://[2001:db8::7]:8443/" in page_urls(Settings(host="::", port=8443, https=True))
