from __future__ import annotations

import ipaddress
import json
from typing import Any

import pytest

from webapp.config import Settings
from webapp.server import known_hosts
from webapp.server.addresses import IpAddress, name_in, without_port
from webapp.server.known_hosts import LOOK_INTERVAL_S, HostCheck, KnownHosts


class TFLiteModel:
    """This machine's addresses and the time, as a test sets them."""

    addresses: tuple[str, ...] = ("192.0.2.7", "2001:db8::7")
    now_s = 0.0
    looked = 0

    def own(self) -> list[IpAddress]:
        self.looked += 1
        return [ipaddress.ip_address(address) for address in self.addresses]

    def clock(self) -> float:
        return self.now_s


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> TFLiteModel:
    network = TFLiteModel()
    monkeypatch.setattr(known_hosts, "network_addresses", network.own)
    monkeypatch.setattr(known_hosts, "host_names", lambda: ["Lab-PC", "lab-pc.local", "localhost"])
    return network


def known(network: TFLiteModel, certified: tuple[str, ...] = (), **settings: Any) -> KnownHosts:
    return KnownHosts(Settings(**settings), certified, network.clock)


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "localhost:5000", "127.0.0.1:5000", "127.0.0.2", "[::1]", "[::1]:5000", "LOCALHOST."),
        *("lab-pc", "LAB-PC:8443", "lab-pc.local", "192.0.2.7:8443", "[2001:DB8:0::7]:8443"),
    ],
)
def test_names_and_addresses_of_this_machine_are_known(network: TFLiteModel, host: str) -> None:
    assert host in known(network)


@pytest.mark.parametrize(
    "host",
    [
        *("", ":5000", "evil.example", "localhost.evil.example", "evil.example:5000", "192.0.2.8", "[::2]"),
        *("0.0.0.0", "localhost@evil.example", "localhost/evil", "lab-pc, evil.example", "\x00", "[", "*"),
        *("é.example", "localhost\r\nX: y", "127.0.0.1.evil.example", "2130706433"),
    ],
)
def test_anything_else_is_not(network: TFLiteModel, host: str) -> None:
    assert host not in known(network, host="0.0.0.0")


def test_settings_and_certificates_name_more(network: TFLiteModel) -> None:
    more = known(
        network, ("mien.lab.example", "*.wild.example"), host="study.example", known_hosts=("proxy.example",)
    )
    for host in ("mien.lab.example", "a.wild.example:8443", "study.example", "PROXY.example:443"):
        assert host in more
    for host in ("wild.example", "a.b.wild.example", "other.lab.example"):
        assert host not in more


def test_an_address_that_the_network_gave_later_is_known(network: TFLiteModel) -> None:
    hosts = known(network)
    assert "192.0.2.9" not in hosts
    network.addresses = ("192.0.2.9",)
    network.now_s += LOOK_INTERVAL_S
    assert "192.0.2.9" in hosts
    assert "192.0.2.7" not in hosts


def test_a_flood_of_unknown_addresses_does_not_ask_the_adapters_each_time(network: TFLiteModel) -> None:
    hosts = known(network)
    assert not any(f"198.51.100.{number}" in hosts for number in range(200))
    assert not any(f"{number}.example" in hosts for number in range(200))
    assert network.looked == 1


@pytest.mark.parametrize(
    ("host", "bare", "name"),
    [
        ("Lab:8080", "Lab", "lab"),
        ("[::1]:8080", "[::1]", "::1"),
        ("[::1]", "[::1]", "::1"),
        ("192.0.2.7", "192.0.2.7", "192.0.2.7"),
        ("", "", ""),
    ],
)
def test_a_host_is_taken_apart_with_and_without_a_port(host: str, bare: str, name: str) -> None:
    assert (without_port(host), name_in(host)) == (bare, name)


def answer(check: HostCheck, **environ: str) -> tuple[str, str]:
    started: list[str] = []
    body = b"".join(check({"SERVER_NAME": "0.0.0.0", **environ}, lambda line, headers: started.append(line)))
    return (started or ["handed on"])[0], body.decode()


def test_a_request_under_another_name_is_told_what_to_set(network: TFLiteModel) -> None:
    check = HostCheck(lambda environ, start: [b"page"], known(network))
    status, text = answer(check, HTTP_HOST="mien.example.org:8443", PATH_INFO="/")
    assert status.startswith("421")
    assert "MIEN_KNOWN_HOSTS=mien.example.org " in text
    _, text = answer(check, HTTP_HOST="<script>\xff", PATH_INFO="/api/v1/rooms")
    assert json.loads(text)["problem"]["code"] == "unknown_host"
    assert answer(check, HTTP_HOST="lab-pc", PATH_INFO="/") == ("handed on", "page")


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_load_balancers_may_ask_for_its_health_under_any_name(network: TFLiteModel, path: str) -> None:
    check = HostCheck(lambda environ, start: [b"well"], known(network))
    assert answer(check, HTTP_HOST="198.51.100.1", PATH_INFO=path) == ("handed on", "well")
    assert answer(check, PATH_INFO=path) == ("handed on", "well")


def test_what_clients_say_was_forwarded_reaches_nobody(network: TFLiteModel) -> None:
    seen: list[object] = []

    def application(environ: dict[str, Any], start: object) -> list[bytes]:
        seen.append(environ.get("HTTP_X_FORWARDED_HOST"))
        return []

    answer(
        HostCheck(application, known(network)),
        HTTP_HOST="lab-pc",
        PATH_INFO="/",
        HTTP_X_FORWARDED_HOST="evil.example",
    )
    assert seen == [None]
