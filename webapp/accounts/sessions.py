"""Hosts' sessions: what their cookie says, and the key that signs it.

Each host has a random stamp in the database, which their sessions carry. A new stamp ends all of them.
"""

from __future__ import annotations

import hmac
import logging
import secrets
from pathlib import Path

from flask import Flask, request
from flask.sessions import SecureCookieSessionInterface

from webapp.accounts.directory import Directory
from webapp.accounts.identity import HostUser
from webapp.errors import SettingsError
from webapp.server.addresses import is_this_machine
from webapp.server.data_dir import write_file
from webapp.store.client import Store
from webapp.store.repositories.accounts import AccountRepository

KEY_BYTES = 32

logger = logging.getLogger(__name__)


class Sessions:
    """The sessions of all hosts. Any thread may call it."""

    def __init__(self, store: Store, directory: Directory) -> None:
        self._store = store
        self._directory = directory

    def user(self, session_id: str) -> HostUser | None:
        """The host of a session (see `HostUser.get_id`), unless it ended."""
        number, _, stamp = session_id.partition(".")
        record = self._directory.accounts().hosts.get(int(number)) if number.isdecimal() else None
        if record is None or not hmac.compare_digest(record.stamp.encode(), stamp.encode()):
            return None
        return HostUser(record, "session")

    def end_all(self, host_id: int) -> None:
        """End every session of a host, on whatever machine its cookie is."""
        with self._directory.changing() as accounts:
            changed = self._store.call(AccountRepository.renew_stamp, host_id)
            if changed is not None:
                accounts.hosts[host_id] = changed


class SessionCookie(SecureCookieSessionInterface):
    """The cookie of a session is `Secure`, but on http://localhost, where Safari would drop it.

    It never leaves the machine there.
    """

    def get_cookie_secure(self, app: Flask) -> bool:
        """Whether browsers may send it over https only."""
        return request.is_secure or not is_this_machine(request.host)


def key_print(key: str) -> str:
    """What tells keys apart without giving them away: nodes compare it."""
    return hmac.new(key.encode(), b"which key this is", "sha256").hexdigest()[:16]


def session_key(folder: Path) -> str:
    """The key that signs sessions where none is set; made once, and anew where it is damaged.

    Its file is readable by its owner alone.

    Raises:
        SettingsError: the folder cannot be used.
    """
    path = folder / "session.key"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if (kept := _read_key(path)) is not None:
            return kept
        made = secrets.token_hex(KEY_BYTES)
        write_file(path, made.encode())
    except OSError as error:
        raise SettingsError(
            f"The key of sessions cannot be kept in {folder}: {error.strerror}. Free some space there, or "
            "set MIEN_DATA_DIR to a folder that this user may write to."
        ) from error
    return made


def _read_key(path: Path) -> str | None:
    """The key that is kept, or None where there is none that can sign anything."""
    if not path.exists():
        return None
    key = path.read_text(errors="replace").strip()
    if len(key) >= 2 * KEY_BYTES:
        return key
    logger.warning("The key of sessions in %s is damaged; making another. Hosts must sign in again.", path)
    return None
