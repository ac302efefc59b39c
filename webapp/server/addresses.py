"""The names and addresses at which other machines reach this one."""

from __future__ import annotations

import ipaddress
import re
import socket

import ifaddr

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

PROBES = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
"""Addresses of documentation networks (RFC 5737, RFC 3849): used to look up a route, nothing is sent."""

THIS_MACHINE = ("localhost", "127.0.0.1", "[::1]")
"""The hosts of a URL that mean the machine itself."""

HOST_NAME = re.compile(r"(?!.*\.arpa$)[a-z0-9_][a-z0-9_-]*(\.[a-z0-9_-]+)*", re.IGNORECASE)
"""A name that a certificate can hold; not those of reverse lookups, which macOS may use as its own name."""


def host_names() -> list[str]:
    """The names of this machine, its own first; `localhost` is always among them."""
    own = socket.gethostname()
    candidates = [own, socket.getfqdn(), f"{own.split('.')[0]}.local", "localhost"]
    return [name for name in dict.fromkeys(candidates) if HOST_NAME.fullmatch(name)]


def network_addresses() -> list[IpAddress]:
    """The addresses of this machine that others can reach, the one that faces the router first."""
    towards_router = filter(None, (_source_address(family, probe) for family, probe in PROBES))
    found = [ipaddress.ip_address(text) for text in dict.fromkeys([*towards_router, *_of_adapters()])]
    return [address for address in found if not (address.is_loopback or _needs_a_zone(address))]


def loopback_addresses() -> list[IpAddress]:
    """The addresses that mean this machine itself."""
    return [ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1")]


def without_port(host: str) -> str:
    """`lab:8080` -> `lab`, `[::1]:8080` and `[::1]` -> `[::1]`: the host of a URL, without its port."""
    return host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]


def name_in(host: str) -> str:
    """The name or address in the `host` or `host:port` of a URL, normalized; empty if there is none.

    >>> name_in("Lab-PC.local.:8443"), name_in("[0:0::1]:8443"), name_in("::1")
    ('lab-pc.local', '::1', '::1')
    """
    bare = without_port(host).strip("[]") if host.startswith("[") or host.count(":") < 2 else host
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        return bare.lower().removesuffix(".")


def is_this_machine(host: str) -> bool:
    """Whether the `host` or `host:port` of a URL means the machine that the browser runs on."""
    return without_port(host) in THIS_MACHINE


def _source_address(family: socket.AddressFamily, probe: str) -> str | None:
    """The address that a packet to `probe` would leave from; connecting a datagram socket sends nothing."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as unsent:
            unsent.connect((probe, 9))
            return str(unsent.getsockname()[0])
    except OSError:
        return None


def _of_adapters() -> list[str]:
    """The addresses of all network adapters; an isolated network has no router to probe."""
    found = [address.ip for adapter in ifaddr.get_adapters() for address in adapter.ips]
    return [address if isinstance(address, str) else address[0] for address in found]


def _needs_a_zone(address: IpAddress) -> bool:
    """Whether it is an IPv6 address that a URL cannot carry, as its meaning depends on the adapter."""
    return isinstance(address, ipaddress.IPv6Address) and address.is_link_local
