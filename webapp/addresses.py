"""Under which names and addresses other machines reach this one."""

from __future__ import annotations

import ipaddress
import socket

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

PROBES = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
"""Addresses of documentation networks (RFC 5737, RFC 3849): asked for the way there, never sent to."""


def host_names() -> list[str]:
    """The names of this machine, its own first; `localhost` is always among them."""
    own = socket.gethostname()
    return list(dict.fromkeys([own, socket.getfqdn(), f"{own.split('.')[0]}.local", "localhost"]))


def network_addresses() -> list[IpAddress]:
    """The addresses of this machine that others can reach, the one towards the network's router first."""
    towards_router = filter(None, (_source_address(family, probe) for family, probe in PROBES))
    found = [ipaddress.ip_address(text) for text in dict.fromkeys([*towards_router, *_resolved()])]
    return [address for address in found if not (address.is_loopback or address.is_link_local)]


def loopback_addresses() -> list[IpAddress]:
    """The addresses that mean this machine itself."""
    return [ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1")]


def _source_address(family: socket.AddressFamily, probe: str) -> str | None:
    """The address that a packet to `probe` would leave from; connecting a datagram socket sends nothing."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as unsent:
            unsent.connect((probe, 9))
            return str(unsent.getsockname()[0])
    except OSError:
        return None


def _resolved() -> list[str]:
    """The addresses that this machine's own name stands for."""
    try:
        found = socket.getaddrinfo(socket.gethostname(), None, type=socket.SOCK_STREAM)
    except OSError:
        return []
    return [str(address[0]).split("%")[0] for *_, address in found]
