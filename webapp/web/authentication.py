"""Who may act as a host: by session after a login, or by `Authorization: Bearer TOKEN` for programs.

`webapp.accounts` knows the hosts; here is what requests, over HTTP and Socket.IO, show of them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from pathlib import Path
from typing import Any, TypeVar, cast

from flask import Flask, Request, current_app, g
from flask_login import LoginManager, current_user
from flask_wtf.csrf import CSRFProtect

from webapp.accounts.hosts import Hosts, HostUser
from webapp.accounts.sessions import SessionCookie, session_key
from webapp.errors import ForbiddenError, StoreError, TooManyAttemptsError

View = TypeVar("View", bound=Callable[..., Any])
Shown = TypeVar("Shown")


def protect(app: Flask, hosts: Hosts, data_dir: Path) -> None:
    """Give an application sessions, and protection against forged requests.

    Raises:
        SettingsError: the key of sessions cannot be kept in the folder.
    """
    app.config.update(
        SECRET_KEY=session_key(data_dir),
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_CHECK_DEFAULT=False,  # by `host_only` and the login, not for what needs no session
        WTF_CSRF_SSL_STRICT=False,  # wants a referrer, which our pages never send; the token does not
        WTF_CSRF_TIME_LIMIT=None,  # a board stays open for hours
    )
    app.session_interface = SessionCookie()
    CSRFProtect(app)
    manager = LoginManager(app)
    manager.user_loader(_or_nobody(hosts.by_session))
    manager.request_loader(_or_nobody(partial(_by_bearer, hosts)))


def current_host() -> HostUser | None:
    """The host whose request this is, or None.

    Raises:
        TooManyAttemptsError: it shows a wrong token or key, after too many others from its address.
        StoreError: nobody can tell.
    """
    if current_user.is_authenticated:
        return cast(HostUser, current_user._get_current_object())
    if (error := g.get("not_checked")) is not None:
        raise error
    return None


def host_only(view: View) -> View:
    """Let hosts in only: others get 401, and requests that other pages made for a host's browser 403."""

    @wraps(view)
    def guarded(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - as the view
        host = current_host()
        if host is None:
            return current_app.ensure_sync(current_app.login_manager.unauthorized)()  # type: ignore[attr-defined]
        if host.proof == "session":
            check_forgery()
        return view(*arguments, **named)

    return cast(View, guarded)


def session_only(view: View) -> View:
    """Let hosts in who signed in with their password: a key or a token must not make accounts or keys."""

    @wraps(view)
    @host_only
    def guarded(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - as the view
        if current_user.proof != "session":
            raise ForbiddenError("Keys and tokens are for the API; this page wants a host who signed in.")
        return view(*arguments, **named)

    return cast(View, guarded)


def check_forgery() -> None:
    """Make sure that one of our own pages sent this request, where it changes something.

    Raises:
        CSRFError: it carries no token of the session.
    """
    current_app.extensions["csrf"].protect()


def _by_bearer(hosts: Hosts, asked: Request) -> HostUser | None:
    """Whose `Authorization: Bearer` a request shows; every wrong one counts, whatever was asked for."""
    kind, _, secret = asked.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not secret.strip():
        return None
    return hosts.by_bearer(secret.strip(), asked.remote_addr)


def _or_nobody(find: Callable[[Shown], HostUser | None]) -> Callable[[Shown], HostUser | None]:
    """Finds nobody where that cannot be checked; `current_host` then says why.

    Flask-Login asks for the header of every page too, that of an error among them.
    """

    def found_or_nobody(shown: Shown) -> HostUser | None:
        try:
            return find(shown)
        except (TooManyAttemptsError, StoreError) as error:
            g.not_checked = error
            return None

    return found_or_nobody
