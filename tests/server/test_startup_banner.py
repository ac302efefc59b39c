from __future__ import annotations

import ipaddress
from dataclasses import replace

import pytest

from webapp.config import Settings
from webapp.server import startup_banner
from webapp.server.startup_banner import host_lines, page_urls, serving_lines
from webapp.version import VERSION

FINGERPRINT = ":".join(f"{number:02X}" for number in range(32))
TOKEN = "a-long-token-for-tests"
LAB = Settings(host="0.0.0.0", port=8443, https=True)


@pytest.fixture(autouse=True)
def in_a_lab(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = [ipaddress.ip_address("192.0.2.7"), ipaddress.ip_address("2001:db8::7")]
    monkeypatch.setattr(startup_banner, "network_addresses", lambda: addresses)
    monkeypatch.setattr(startup_banner, "host_names", lambda: ["lab-pc", "localhost"])


def test_on_this_machine_alone_it_says_localhost_and_shows_no_code() -> None:
    lines = serving_lines(Settings())
    assert page_urls(Settings()) == ["http://localhost:5000/"]
    assert "█" not in lines and "authority" not in lines


def test_it_names_the_version_that_runs() -> None:
    assert f"Mien {VERSION} is on" in serving_lines(Settings())


def test_on_the_network_it_lists_every_address_and_name_that_is_served() -> None:
    assert page_urls(LAB) == [
        "https://192.0.2.7:8443/",
        "https://lab-pc:8443/",
        "https://localhost:8443/",
    ]


def test_on_the_network_it_shows_a_code_and_where_the_authority_is() -> None:
    lines = serving_lines(LAB, FINGERPRINT)
    assert "█" in lines
    assert "https://192.0.2.7:8443/authority.crt" in lines
    assert FINGERPRINT in lines.replace("\n", "").replace(" ", "")


def test_a_certificate_of_the_labs_own_needs_no_authority() -> None:
    assert "authority" not in serving_lines(LAB)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7"])
def test_plain_http_for_the_network_shows_no_code_but_says_what_gives_phones_a_camera(host: str) -> None:
    lines = serving_lines(Settings(host=host))
    assert "█" not in lines
    assert "make serve" in lines


def test_behind_a_proxy_that_speaks_https_there_is_nothing_to_warn_of() -> None:
    lines = serving_lines(Settings(host="0.0.0.0", proxies=1))
    assert "█" not in lines and "make serve" not in lines


def test_an_address_of_the_network_has_a_code_too() -> None:
    assert "█" in serving_lines(replace(LAB, host="192.0.2.7"))


def test_a_token_that_is_set_is_not_shown() -> None:
    lines = host_lines(replace(LAB, host_token=TOKEN), None)
    assert TOKEN not in lines
    assert "MIEN_HOST_TOKEN is set" in lines


def test_a_token_of_this_start_is_shown_with_its_link() -> None:
    assert f"https://192.0.2.7:8443/host?token={TOKEN}" in host_lines(LAB, TOKEN)
    assert "token" not in host_lines(LAB, None)


def test_an_ipv6_address_is_written_in_brackets() -> None:
    assert "https://[2001:db8::7]:8443/" in page_urls(Settings(host="::", port=8443, https=True))
    assert page_urls(Settings(host="fd00::7")) == ["http://[fd00::7]:5000/"]
