"""Whose jobs a request may see, and who may make one.

A job belongs to the API key or to the host whose request made it. Pages are used without an account too: a
browser that makes a job then gets a random token in the session's cookie (HttpOnly, SameSite=Lax), which the
server signs, and whoever has it is the owner.
"""

from __future__ import annotations

import ipaddress
import secrets
from urllib.parse import urlsplit

from flask import request, session

from webapp.accounts.identity import HostUser
from webapp.accounts.rate_limits import client_of
from webapp.errors import ForbiddenError, KeyNeededError
from webapp.jobs.service import Owner
from webapp.web.authentication import check_scope, current_host
from webapp.web.context import services
from webapp.web.security import check_forgery

BROWSER = "jobs_owner"
"""Under which the session has the browser's token."""

SCOPE = "analyze"


def owners_of_request() -> frozenset[str]:
    """Everybody whose jobs this request may see.

    Raises:
        TooManyAttemptsError, StoreError: nobody can tell.
        ForbiddenError: it shows a key that may not.
    """
    host, browser = _host(), session.get(BROWSER)
    owners = {_owner_of(host)} if host else set()
    if isinstance(browser, str):
        owners.add(f"browser:{browser}")
    return frozenset(owners)


def maker_of_job() -> Owner:
    """Who makes a job with this request; before its body is read.

    Raises:
        KeyNeededError: without a key only this machine and the server's own pages may.
        ForbiddenError: a page that is not ours sent it, or it shows a key that may not.
        TooManyAttemptsError, StoreError: nobody can tell.
    """
    host = _host()
    if host is not None:
        owner = _owner_of(host)
        return Owner(owner, owner)
    if request.headers.get("Authorization"):
        raise KeyNeededError("The key is wrong, or was deleted.")
    _check_keyless()
    browser = session.setdefault(BROWSER, secrets.token_urlsafe(24))
    return Owner(f"browser:{browser}", f"address:{client_of(request.remote_addr)}")


def check_not_forged() -> None:
    """Make sure that a change in the name of a host's or a browser's session was asked for by our own page.

    Hosts' pages carry the session's token, as everywhere; a browser without an account says which page asks.

    Raises:
        CSRFError: the host's request lacks the token.
        ForbiddenError: another site's page sent it.
    """
    host = _host()
    if host is not None and host.proof == "session":
        check_forgery()
    elif host is None and _is_foreign():
        raise ForbiddenError("A page of another site sent this; use the page for files of this server.")


def _host() -> HostUser | None:
    host = current_host()
    if host is not None:
        check_scope(host, SCOPE)
    return host


def _owner_of(host: HostUser) -> str:
    """A key by its hash, as its number may come to be another one's."""
    if host.key is not None:
        return f"key:{host.key.secret_hash}"
    return "token" if host.record is None else f"host:{host.record.id}.{host.record.created_ms:.0f}"


def _check_keyless() -> None:
    if _is_foreign():
        raise ForbiddenError("A page of another site sent this; use the page for files of this server.")
    if not (_is_own_page() or _is_from_this_machine()):
        raise KeyNeededError(
            "From another machine, send Authorization: Bearer KEY with a key of the scope `analyze`, or use "
            "the page for files."
        )


def _is_own_page() -> bool:
    return request.headers.get("Sec-Fetch-Site") == "same-origin" or _origin() == request.host


def _is_foreign() -> bool:
    site = request.headers.get("Sec-Fetch-Site", "none")
    return site not in ("none", "same-origin") or _origin() not in (None, request.host)


def _origin() -> str | None:
    origin = request.headers.get("Origin")
    return urlsplit(origin).netloc if origin else None


def _is_from_this_machine() -> bool:
    """Whether a program on this machine sent it; what a proxy here passes on may come from anywhere."""
    if services().settings.proxies == 0 and request.headers.get("X-Forwarded-For"):
        return False
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False
