"""Whose jobs a request may see, and who may make one.

A job belongs to the API key or to the host whose request made it. Pages are used without an account too: a
browser that makes a job then gets a random token in the session's cookie (HttpOnly, SameSite=Lax), which the
server signs, and whoever has it is the owner.
"""

from __future__ import annotations

import secrets

from flask import request, session

from webapp.accounts.identity import HostUser
from webapp.accounts.rate_limits import client_of
from webapp.errors import ForbiddenError, UnauthorizedError
from webapp.jobs.record import ADDRESS
from webapp.jobs.service import Owner
from webapp.web.authentication import check_scope, current_host, shows_bearer
from webapp.web.security import check_forgery
from webapp.web.upload_access import admit_upload, is_from_this_machine, own_origin

BROWSER = "jobs_owner"
"""Under which the session has the browser's token."""

THIS_MACHINE = "machine"
"""What jobs that programs and browsers of the server's own machine send count for."""


def owners_of_request() -> frozenset[str]:
    """Everybody whose jobs this request may see.

    Raises:
        TooManyAttemptsError, StoreError: nobody can tell.
        UnauthorizedError, ForbiddenError: it shows a key that is unknown, or may not.
    """
    host, browser = current_host(), session.get(BROWSER)
    if host is not None:
        check_scope(host, "analyze")
    elif shows_bearer():
        raise UnauthorizedError("This key or token is not known here; create a key on the account page.")
    owners = {_owner_of(host)} if host else set()
    if isinstance(browser, str):
        owners.add(f"browser:{browser}")
    return frozenset(owners)


def maker_of_job() -> Owner:
    """Who makes a job with this request; before its body is read.

    Raises:
        UnauthorizedError, ForbiddenError, TooManyAttemptsError: see `admit_upload`.
        ForbiddenError: another site's page sent it.
        StoreError: nobody can tell.
    """
    admit_upload()
    host = current_host()
    if host is not None:
        owner = _owner_of(host)
        return Owner(owner, owner)
    _check_page()
    browser = session.setdefault(BROWSER, secrets.token_urlsafe(24))
    return Owner(f"browser:{browser}", _sender())


def check_not_forged() -> None:
    """Make sure that a change in the name of a host's or a browser's session was asked for by our own page.

    Hosts' pages carry the session's token, as everywhere; a browser without an account says which page asks.

    Raises:
        CSRFError: the host's request lacks the token.
        ForbiddenError: another site's page sent it.
    """
    host = current_host()
    if host is not None and host.proof == "session":
        check_forgery()
    elif host is None:
        _check_page()


def _owner_of(host: HostUser) -> str:
    """A key by its hash, as its number may come to be another one's."""
    if host.key is not None:
        return f"key:{host.key.secret_hash}"
    return "token" if host.record is None else f"host:{host.record.id}.{host.record.created_ms:.0f}"


def _sender() -> str:
    """What jobs without an account count for: this machine is trusted as a key is, others are not."""
    return THIS_MACHINE if is_from_this_machine() else f"{ADDRESS}{client_of(request.remote_addr)}"


def _check_page() -> None:
    """Refuse what a browser says comes from another site; programs say nothing of that.

    Raises:
        ForbiddenError: it does.
    """
    site = request.headers.get("Sec-Fetch-Site", "none")
    if site not in ("none", "same-origin") or request.headers.get("Origin", own_origin()) != own_origin():
        raise ForbiddenError("A page of another site sent this; use the page for files of this server.")
