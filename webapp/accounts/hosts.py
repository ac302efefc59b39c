"""Who may act as a host: by session after a login, or by `Authorization: Bearer TOKEN` for programs.

The first host comes with the token that the server prints at its start (or `MIEN_HOST_TOKEN`), and chooses a
name and a password; further hosts are added by hosts. Passwords are hashed and checked in the store's
process, as that takes a tenth of a second on purpose.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

from flask import Flask, Request, Response, current_app, request, session
from flask.sessions import SecureCookieSessionInterface
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager, UserMixin, current_user
from flask_wtf.csrf import CSRFProtect

from webapp.errors import BadRequestError, SettingsError
from webapp.rooms.room import check_text
from webapp.server.addresses import is_this_machine
from webapp.store.client import Store
from webapp.store.records import HostRecord
from webapp.store.repositories import Archive

HOST_NAME_LIMIT = 80
LEAST_PASSWORD = 10
PASSWORD_LIMIT = 1000
KEY_PREFIX = "mien_"

ATTEMPTS = "10 per minute"
"""Wrong passwords, tokens and keys from one address."""

View = TypeVar("View", bound=Callable[..., Any])


class HostUser(UserMixin):  # type: ignore[misc]  # Flask-Login has no types
    """A host who is signed in; `id` is None for whoever has the first-access token."""

    def __init__(self, record: HostRecord | None) -> None:
        self.record = record
        self.id = record.id if record else None

    @property
    def name(self) -> str:
        """What the page calls them."""
        return self.record.name if self.record else "first host"


class Hosts:
    """The hosts of this server, and what proves that a request is theirs."""

    def __init__(self, store: Store, token: str | None) -> None:
        self._store = store
        self._given_token = token
        self._made_token = secrets.token_urlsafe(24)
        self._known: dict[int, HostRecord] | None = None
        self._lock = threading.Lock()

    def all(self) -> list[HostRecord]:
        """Everybody with an account.

        Raises:
            StoreError: the store cannot tell.
        """
        with self._lock:
            if self._known is None:
                self._known = {host.id: host for host in self._store.call(Archive.hosts)}
            return list(self._known.values())

    def first_token(self) -> str | None:
        """The token for the first access: the one set, or one of this start while nobody has an account."""
        return self._given_token or (None if self.all() else self._made_token)

    def is_token(self, given: str) -> bool:
        """Whether a text is the first-access token."""
        token = self.first_token()
        return token is not None and hmac.compare_digest(token.encode(), given.encode())

    def add(self, name: object, password: object) -> HostRecord:
        """A new account.

        Raises:
            BadRequestError: the name is taken, or either cannot be used.
        """
        checked = check_text("name", name, HOST_NAME_LIMIT)
        added = self._store.call(Archive.add_host, checked, check_password(password))
        if added is None:
            raise BadRequestError("Another host has this name; choose another.")
        self._known = None
        return added

    def remove(self, host_id: int) -> None:
        """Delete an account; its sessions and keys end at once.

        Raises:
            BadRequestError: it is the last one.
        """
        if len(self.all()) < 2:
            raise BadRequestError("The last host stays, or nobody could sign in.")
        self._store.call(Archive.delete_host, host_id)
        self._known = None

    def by_password(self, name: str, password: str) -> HostRecord | None:
        """The host whose name and password these are."""
        return self._store.call(Archive.check_password, name, password[:PASSWORD_LIMIT])

    def by_id(self, host_id: str) -> HostUser | None:
        """The host of a session."""
        found = next((host for host in self.all() if str(host.id) == host_id), None)
        return HostUser(found) if found else None

    def by_secret(self, secret: str) -> HostUser | None:
        """The host whose key this is, or whoever has the token."""
        if self.is_token(secret):
            return HostUser(None)
        if not secret.startswith(KEY_PREFIX):
            return None
        found = self._store.call(Archive.host_of_key, secret)
        return HostUser(found) if found else None

    def by_request(self, asked: Request) -> HostUser | None:
        """Whose `Authorization: Bearer` it is."""
        kind, _, secret = asked.headers.get("Authorization", "").partition(" ")
        return self.by_secret(secret.strip()) if kind.lower() == "bearer" else None


class SessionCookie(SecureCookieSessionInterface):
    """The cookie of a session is `Secure`, but on http://localhost, where Safari would drop it.

    It never leaves the machine there.
    """

    def get_cookie_secure(self, app: Flask) -> bool:
        """Whether browsers may send it over https only."""
        return request.is_secure or not is_this_machine(request.host)


def protect(app: Flask, hosts: Hosts, data_dir: Path) -> Limiter:
    """Give an application sessions, protection against forged requests, and limits to attempts."""
    app.config.update(
        SECRET_KEY=_secret_key(data_dir),
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_CHECK_DEFAULT=False,  # by `host_only` and the login, not for what needs no session
        WTF_CSRF_SSL_STRICT=False,  # wants a referrer, which our pages never send; the token does not
        WTF_CSRF_TIME_LIMIT=None,  # a board stays open for hours
        RATELIMIT_HEADERS_ENABLED=False,
    )
    app.session_interface = SessionCookie()
    CSRFProtect(app)
    manager = LoginManager(app)
    manager.user_loader(hosts.by_id)
    manager.request_loader(hosts.by_request)
    return Limiter(get_remote_address, app=app, storage_uri="memory://")


def host_only(view: View) -> View:
    """Let hosts in only: others get 401, and requests that other pages made for a host's browser 403."""

    @wraps(view)
    def guarded(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - as the view
        if not current_user.is_authenticated:
            return current_app.ensure_sync(current_app.login_manager.unauthorized)()  # type: ignore[attr-defined]
        if "Authorization" not in request.headers:
            check_forgery()
        return view(*arguments, **named)

    return cast(View, guarded)


def check_forgery() -> None:
    """Make sure that one of our own pages sent this request, where it changes something.

    Raises:
        CSRFError: it carries no token of the session.
    """
    current_app.extensions["csrf"].protect()


def check_password(given: object) -> str:
    """A password that may be chosen.

    Raises:
        BadRequestError: it is too short or too long.
    """
    if not isinstance(given, str) or not LEAST_PASSWORD <= len(given) <= PASSWORD_LIMIT:
        raise BadRequestError(f"The password must have at least {LEAST_PASSWORD} characters.")
    return given


def allow_first_access() -> None:
    """Note in the session that the first-access token was shown."""
    session["first_access"] = True


def has_first_access() -> bool:
    """Whether this browser showed the first-access token."""
    return bool(session.get("first_access"))


def new_key() -> str:
    """A secret for programs."""
    return KEY_PREFIX + secrets.token_urlsafe(32)


def was_wrong(response: Response) -> bool:
    """Whether a request showed a wrong password, token or key."""
    showed = request.form or request.args.get("token") or request.headers.get("Authorization")
    return response.status_code == 401 and bool(showed)


def _secret_key(folder: Path) -> str:
    """The key that signs sessions; made once, readable by its owner alone.

    Raises:
        SettingsError: the folder cannot be used.
    """
    path = folder / "session.key"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_hex(32))
        return path.read_text()
    except OSError as error:
        raise SettingsError(
            f"The key of sessions cannot be kept in {folder}: {error.strerror}. Set MIEN_DATA_DIR to a "
            "folder that this user may write to."
        ) from error
