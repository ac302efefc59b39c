"""What the terminal shows at the start: where the page is, with a QR code for phones."""

from __future__ import annotations

import io
import ipaddress

import segno

from webapp.config import Settings
from webapp.server.addresses import IpAddress, host_names, network_addresses
from webapp.version import VERSION

LOOPBACK = ("127.0.0.1", "::1", "localhost")

EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - compared with, not listened on


def serving_lines(settings: Settings, fingerprint: str | None = None) -> str:
    """The addresses of the page, the most useful first, and its QR code where phones can use it.

    `fingerprint` is that of the certificate authority which this server made itself.
    """
    urls = page_urls(settings)
    node = f", node {settings.node}," if settings.shares_database else ""
    lines = ["", f"  Mien {VERSION}{node} is on", *(f"    {url}" for url in urls), ""]
    if is_for_the_network(settings):
        lines += _network_lines(settings, urls[0])
    if fingerprint is not None:
        lines += [
            "  Browsers warn about this certificate, which the server made itself. To end that, trust",
            f'  {urls[0]}authority.crt (README.md, "The browser\'s warning"). Compare its SHA-256',
            "  fingerprint first (docs/operations.md says how):",
            *(f"    {line}" for line in _halves(fingerprint)),
        ]
    return "\n".join([*lines, "  Stop with Ctrl-C.", ""])


def host_lines(settings: Settings, made_token: str | None) -> str:
    """Where hosts of rooms sign in; with a token of this start, the link that makes the first account.

    A token that is set is not shown: logs are kept, and read by others.
    """
    page = f"{page_urls(settings)[0]}host"
    if made_token:
        return f"  Researchers begin here, with an account of their own:\n    {page}?token={made_token}\n"
    lines = f"  Researchers sign in here:\n    {page}\n"
    if settings.host_token:
        lines += "  MIEN_HOST_TOKEN is set; with it an account is made at\n"
        lines += f"    {page}?token=TOKEN\n"
    return lines


def is_for_the_network(settings: Settings) -> bool:
    """Whether other machines reach this server by itself, without a proxy on this machine."""
    return settings.host not in LOOPBACK


def _network_lines(settings: Settings, url: str) -> list[str]:
    if settings.https:
        return [_qr_code(url), "  Scan it to open the page on a phone in the same network."]
    if settings.proxies:
        return []
    return [
        "  Browsers on other machines and phones give no page a camera over plain http. Serve https with",
        "  `make serve`, or put a proxy in front that does (deploy/) and say so with MIEN_PROXIES=1.",
        "",
    ]


def _halves(fingerprint: str) -> list[str]:
    center = len(fingerprint) // 2 + 1
    return [fingerprint[:center], fingerprint[center:]]


def page_urls(settings: Settings) -> list[str]:
    """The page's addresses: those of this machine in the network where it serves everywhere."""
    if settings.host not in EVERYWHERE:
        host = "localhost" if settings.host in LOOPBACK else settings.host
        return [_url(settings, f"[{host}]" if ":" in host else host)]
    hosts = [_in_url(address) for address in network_addresses() if _is_served(address, settings.host)]
    return [_url(settings, host) for host in [*hosts, *host_names()[:1], "localhost"]]


def _is_served(address: IpAddress, host: str) -> bool:
    return isinstance(address, ipaddress.IPv4Address) or host == "::"


def _in_url(address: IpAddress) -> str:
    return f"[{address}]" if isinstance(address, ipaddress.IPv6Address) else str(address)


def _url(settings: Settings, host: str) -> str:
    return f"{'https' if settings.https else 'http'}://{host}:{settings.port}/"


def _qr_code(url: str) -> str:
    drawn = io.StringIO()
    segno.make(url, error="l", micro=False).terminal(drawn, compact=True, border=2)
    return drawn.getvalue()
