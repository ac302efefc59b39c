"""What the terminal shows at the start: where the page is, with a QR code for phones."""

from __future__ import annotations

import io
import ipaddress

import segno

from webapp.config import Settings
from webapp.server.addresses import IpAddress, host_names, network_addresses

EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - compared with, not listened on


def serving_lines(settings: Settings) -> str:
    """The addresses of the page, the most useful first, and its QR code where other machines can reach it."""
    urls = page_urls(settings)
    lines = ["", "  Mien is on", *(f"    {url}" for url in urls), ""]
    if settings.host in EVERYWHERE:
        lines += [_qr_code(urls[0]), "  Scan it to open the page on a phone in the same network."]
    if settings.https and settings.tls_certificate is None:
        lines += [
            "  Browsers warn of this certificate, which the server made itself. How to end that: README.md,",
            f'  "The browser\'s warning", with {urls[0]}authority.crt',
        ]
    return "\n".join([*lines, "  Stop with Ctrl-C.", ""])


def host_lines(settings: Settings, token: str | None) -> str:
    """Where hosts of rooms sign in; with a token, the link that makes the first account."""
    query = f"?token={token}" if token else ""
    what = "Researchers begin here, with an account of their own:" if token else "Researchers sign in here:"
    return f"  {what}\n    {page_urls(settings)[0]}host{query}\n"


def page_urls(settings: Settings) -> list[str]:
    """The page's addresses: those of this machine in the network where it serves everywhere."""
    if settings.host not in EVERYWHERE:
        host = "localhost" if settings.host in ("127.0.0.1", "::1") else settings.host
        return [_url(settings, host)]
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
