"""Who may have images analyzed over HTTP without a room: hosts and keys, this machine, and our own pages."""

from __future__ import annotations

import ipaddress

from flask import request

from webapp.errors import ForbiddenError, StoreError, TooManyAttemptsError, UnauthorizedError
from webapp.server.connections.connection_limits import network_of
from webapp.web.authentication import check_scope, current_host, shows_bearer
from webapp.web.context import services

FORWARDING_HEADERS = (
    *("Forwarded", "Via", "X-Real-IP"),
    *("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"),
)
"""What proxies add; where none is declared, whose request it is cannot be told."""


def admit_upload() -> tuple[str, object]:
    """Whose upload the current request is, for taking turns: a host's, or its address's.

    Keys need the scope `analyze`. Without one, programs of this machine may analyze without limit, and pages
    of this server as often as `MIEN_ANALYZE_PER_MINUTE` says, and so may everybody where
    `MIEN_OPEN_ANALYZE` is set.

    Raises:
        UnauthorizedError: the request needs a key.
        ForbiddenError: its key has another scope, or a page of another site sent it without one.
        TooManyAttemptsError: its address has had its share of this minute.
    """
    try:
        host = current_host()
    except StoreError:  # hosts cannot be told now; everybody else need not wait for that
        host = None
    if host is not None:
        check_scope(host, "analyze")
        return "host", host.id
    if shows_bearer():
        raise UnauthorizedError("This key or token is not known here; create a key on the account page.")
    if not is_from_this_machine():
        _admit_other_machine()
    elif _is_from_another_site() and not services().settings.open_analyze:
        raise ForbiddenError("A page of another site sent this; use the page for files of this server.")
    return "machine" if is_from_this_machine() else "address", network_of(request.remote_addr or "")


def _admit_other_machine() -> None:
    if not (services().settings.open_analyze or _is_from_our_page()):
        raise UnauthorizedError(
            "Send Authorization: Bearer KEY, with a key that has the scope analyze. Hosts create keys on the "
            "account page; MIEN_OPEN_ANALYZE=1 lets the server do without (docs/api.md)."
        )
    limit = services().page_uploads
    if limit is None:
        return
    try:
        limit.begin(request.remote_addr)
    except TooManyAttemptsError:
        per_minute = services().settings.analyze_per_minute
        raise TooManyAttemptsError(
            f"Without a key at most {per_minute} images a minute from one address; wait, or send a key."
        ) from None


def is_from_this_machine() -> bool:
    """Whether a program of this machine asks; behind proxies the address is the client's."""
    if not services().settings.proxies and any(name in request.headers for name in FORWARDING_HEADERS):
        return False
    try:
        address = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def _is_from_another_site() -> bool:
    """Whether a browser says that a page of another site asks: it may be open on this machine too."""
    return request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin")


def _is_from_our_page() -> bool:
    """Whether a browser says that a page of this server asks. Programs can say so too: hence the limit."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    return request.headers.get("Origin") == own_origin()


def own_origin() -> str:
    """This server's, as a browser writes it: `request.host_url` decodes internationalized names."""
    return f"{request.scheme}://{request.host}"
