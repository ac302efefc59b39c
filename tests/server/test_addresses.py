from __future__ import annotations

import ipaddress
import socket

import ifaddr
import pytest

from webapp.server import addresses
from webapp.server.addresses import host_names, network_addresses


def adapter(*ips: str | tuple[str, int, int]) -> ifaddr.Adapter:
    return ifaddr.Adapter("eth0", "eth0", [ifaddr.IP(ip, 24, "eth0") for ip in ips])


@pytest.mark.parametrize(
    ("own", "full", "expected"),
    [
        ("lab-pc", "lab-pc.campus.example", ["lab-pc", "lab-pc.campus.example", "lab-pc.local", "localhost"]),
        ("lab-pc.local", "lab-pc.local", ["lab-pc.local", "localhost"]),
        ("mac", "1.0.0.127.in-addr.arpa", ["mac", "mac.local", "localhost"]),
        ("Müllers PC", "localhost", ["localhost"]),
        ("", "", ["localhost"]),
    ],
)
def test_only_names_that_a_certificate_can_hold_are_taken(
    monkeypatch: pytest.MonkeyPatch, own: str, full: str, expected: list[str]
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: own)
    monkeypatch.setattr(socket, "getfqdn", lambda: full)
    assert host_names() == expected


def test_the_address_towards_the_router_is_first_and_no_adapter_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    adapters = [
        adapter("127.0.0.1", "192.168.1.5"),
        adapter("10.0.0.3", ("fd00::3", 0, 0), ("fe80::3", 0, 2)),
    ]
    monkeypatch.setattr(ifaddr, "get_adapters", lambda: adapters)
    monkeypatch.setattr(addresses, "_source_address", lambda _, probe: {"192.0.2.1": "10.0.0.3"}.get(probe))
    assert [str(address) for address in network_addresses()] == ["10.0.0.3", "192.168.1.5", "fd00::3"]


def test_a_network_without_a_router_has_addresses_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ifaddr, "get_adapters", lambda: [adapter("169.254.3.4")])
    monkeypatch.setattr(addresses, "_source_address", lambda *_: None)
    assert network_addresses() == [ipaddress.ip_address("169.254.3.4")]
