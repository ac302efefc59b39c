"""Who may act as a host: by session after a login, or by `Authorization: Bearer TOKEN` for programs.

`webapp.accounts` knows the hosts; this module finds whose a request is, over HTTP and Socket.IO.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any, TypeVar, cast

from flask import Flask, Request, Response, current_app, g, render_template, request
from flask_login import LoginManager, current_user

from webapp.accounts.identity import HostUser
from webapp.accounts.service import AccountService
from webapp.accounts.sessions import SessionCookie
from webapp.errors import ForbiddenError, StoreError, TooManyAttemptsError
from webapp.server.known_hosts import is_api
from webapp.web.problems import is_navigation, problem_response
from webapp.web.security import check_forgery

View = TypeVar("View", bound=Callable[..., Any])
Shown = TypeVar("Shown")


def add_sessions(app: Flask, accounts: AccountService, key: str) -> None:
    """Give an application hosts who sign in; `key` signs their sessions."""
    app.config.update(SECRET_KEY=key, SESSION_COOKIE_HTTPONLY=True, SESSION_COOKIE_SAMESITE="Lax")
    app.session_interface = SessionCookie()
    manager = LoginManager(app)
    manager.user_loader(_or_nobody(accounts.sessions.user))
    manager.request_loader(_or_nobody(partial(_by_bearer, accounts)))
    manager.unauthorized_handler(refuse)


def refuse() -> Response | tuple[str, int]:
    """The response to whoever is no host: the form to sign in, or a problem for programs."""
    if is_api(request.path) and not is_navigation():
        return problem_response(401, "unauthorized", "Sign in as a host, or send Authorization: Bearer KEY.")
    return sign_in_page()


def sign_in_page(error: str | None = None, name: str = "", is_wrong: bool = True) -> tuple[str, int]:
    """The form to sign in, as the response to whoever must.

    It keeps the `name` that was typed and marks its fields if what was in them `is_wrong`.
    """
    return render_template("dashboard/sign_in.html", error=error, name=name, is_wrong=is_wrong), 401


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


def shows_bearer() -> bool:
    """Whether the current request shows a key or a token, right or wrong; not a login of a proxy in front."""
    return _bearer_of(request) is not None


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


def needs_scope(*scopes: str) -> Callable[[View], View]:
    """Let hosts in, and keys that have one of these scopes: others get 401, or 403 with what is missing.

    The scopes are kept as `scopes` of the view, from where the API's description takes them.
    """

    def guard(view: View) -> View:
        @wraps(view)
        @host_only
        def guarded(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - as the view
            check_scope(cast(HostUser, current_user), *scopes)
            return view(*arguments, **named)

        guarded.scopes = scopes  # type: ignore[attr-defined]
        return cast(View, guarded)

    return guard


def optional_scope(*scopes: str) -> Callable[[View], View]:
    """Note the scopes that a key needs for a view with rules of its own, which some may use without a key."""

    def mark(view: View) -> View:
        view.scopes, view.is_open = scopes, True  # type: ignore[attr-defined]
        return view

    return mark


def check_scope(host: HostUser, *scopes: str) -> None:
    """Make sure that a host may do what one of these scopes permits.

    Raises:
        ForbiddenError: they show a key that has none of them.
    """
    if not host.may(*scopes):
        raise ForbiddenError(
            f"This key lacks the scope {' or '.join(scopes)}; create one that has it on the account page."
        )


def session_only(view: View) -> View:
    """Let hosts in who signed in with their password: a key or a token must not make accounts or keys."""

    @wraps(view)
    @host_only
    def guarded(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - as the view
        if current_user.proof != "session":
            raise ForbiddenError("Keys and tokens are for the API; this page wants a host who signed in.")
        return view(*arguments, **named)

    return cast(View, guarded)


def _by_bearer(accounts: AccountService, asked: Request) -> HostUser | None:
    """Whose `Authorization: Bearer` a request shows; every wrong one counts, whatever was asked for."""
    secret = _bearer_of(asked)
    return accounts.by_bearer(secret, asked.remote_addr) if secret else None


def _bearer_of(asked: Request) -> str | None:
    kind, _, secret = asked.headers.get("Authorization", "").partition(" ")
    return secret.strip() if kind.lower() == "bearer" else None


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
