"""The hosts of this server, and what proves that a request is theirs.

The first host comes with a token: the one that `MIEN_HOST_TOKEN` sets, or one that the server makes at its
start while nobody has an account. They choose a name and a password; further hosts are added by hosts.
Programs have keys. Passwords are hashed and checked in the store's process: a tenth of a second, on purpose.

Each host has a random stamp in the database, which their sessions carry. A new stamp ends all of them.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from flask_login import UserMixin
from itsdangerous import BadData, URLSafeTimedSerializer

from webapp.accounts.rate_limits import AttemptLimit
from webapp.errors import BadRequestError, StoreError
from webapp.store.client import Store
from webapp.store.records import HostRecord, KeyRecord, hash_secret
from webapp.store.repositories.accounts import AccountRepository
from webapp.store.text_checks import check_text

MAX_HOST_NAME_LENGTH = 80
MAX_KEY_NAME_LENGTH = 80
MIN_PASSWORD_LENGTH = 10
MAX_PASSWORD_LENGTH = 1000
KEY_PREFIX = "mien_"

ATTEMPTS_PER_MINUTE = 10
"""Wrong passwords and tokens, and wrong keys, from one address."""

FIRST_ACCESS_S = 1800
"""How long the page for the first account stays open to a browser that showed the token."""

Proof = Literal["session", "key", "token"]


class HostUser(UserMixin):  # type: ignore[misc]  # Flask-Login has no types
    """A host, and the `proof` that a request is theirs; `id` is None for whoever has the token."""

    def __init__(self, record: HostRecord | None, proof: Proof, key: KeyRecord | None = None) -> None:
        self.record = record
        self.proof = proof
        self.key = key
        self.id = record.id if record else None

    @property
    def name(self) -> str:
        """What the page calls them."""
        return self.record.name if self.record else "first host"

    def get_id(self) -> str:
        """What a session carries: the host's number and the stamp of their sessions."""
        return f"{self.record.id}.{self.record.stamp}" if self.record else ""


@dataclass(frozen=True, slots=True)
class Accounts:
    """All accounts by number, and all keys by the hash of their secret."""

    hosts: dict[int, HostRecord]
    keys: dict[str, KeyRecord]


class Hosts:
    """The accounts, kept in memory as the store has them.

    Safe on threads. Changes and the first load hold the lock while the store is asked, so that no load brings
    back what a change just removed; whoever only reads does not wait for it once the accounts are loaded.
    """

    def __init__(self, store: Store, token: str | None) -> None:
        self._store = store
        self._given_token = token
        self._made_token = secrets.token_urlsafe(24)
        self._accounts: Accounts | None = None
        self._lock = threading.RLock()
        self._sign_ins = AttemptLimit(ATTEMPTS_PER_MINUTE)
        self._bearers = AttemptLimit(ATTEMPTS_PER_MINUTE)

    # Accounts

    def all(self) -> list[HostRecord]:
        """Everybody with an account.

        Raises:
            StoreError: the store cannot tell.
        """
        return list(self._loaded().hosts.values())

    def add(self, name: object, password: object) -> HostRecord:
        """A new account.

        Raises:
            BadRequestError: the name is taken, or either cannot be used.
        """
        checked_name, checked_password = (
            check_text("name", name, MAX_HOST_NAME_LENGTH),
            check_password(password),
        )
        with self._changing() as accounts:
            added = self._store.call(AccountRepository.add_host, checked_name, checked_password)
            if added is None:
                raise BadRequestError("Another host has this name; choose another.")
            accounts.hosts[added.id] = added
        return added

    def add_first(self, proof: object, name: object, password: object) -> HostRecord | None:
        """The account for which `open_first_access` gave a proof; None where that is worth nothing by now.

        Raises:
            BadRequestError: the name is taken, or either cannot be used.
        """
        with self._lock:
            return self.add(name, password) if self.has_first_access(proof) else None

    def remove(self, host_id: int) -> None:
        """Delete an account; its sessions, keys and boards end at once.

        Raises:
            BadRequestError: it is the last one.
        """
        with self._changing() as accounts:
            if host_id in accounts.hosts and len(accounts.hosts) < 2:
                raise BadRequestError("The last host stays, or nobody could sign in.")
            self._store.call(AccountRepository.delete_host, host_id)
            accounts.hosts.pop(host_id, None)
            for key in [key for key in accounts.keys.values() if key.host_id == host_id]:
                accounts.keys.pop(key.secret_hash, None)

    def change_password(self, host: HostRecord, old: str, new: object, address: str | None) -> HostRecord:
        """Give a host another password; all their sessions end, and the record has the stamp of the next.

        Raises:
            BadRequestError: the present password is wrong, or the new one cannot be used.
            TooManyAttemptsError: too many from this address were wrong.
        """
        if self.by_password(host.name, old, address) is None:
            raise BadRequestError("The present password is wrong.")
        with self._changing() as accounts:
            changed = self._store.call(AccountRepository.set_password, host.id, check_password(new))
            if changed is None:
                raise BadRequestError("This account is gone.")
            accounts.hosts[host.id] = changed
        return changed

    def end_sessions(self, host_id: int) -> None:
        """Let no session that a host has begun be used any more, on whatever machine its cookie is."""
        with self._changing() as accounts:
            changed = self._store.call(AccountRepository.renew_stamp, host_id)
            if changed is not None:
                accounts.hosts[host_id] = changed

    # Keys

    def keys_of(self, host_id: int) -> list[KeyRecord]:
        """A host's keys in the order in which they were made."""
        return [key for key in self._loaded().keys.values() if key.host_id == host_id]

    def add_key(self, host_id: int, name: object) -> str:
        """Make a key for programs; gives its secret, which nobody can see again.

        Raises:
            BadRequestError: the name cannot be used.
        """
        checked, secret = (
            check_text("name", name, MAX_KEY_NAME_LENGTH),
            KEY_PREFIX + secrets.token_urlsafe(32),
        )
        with self._changing() as accounts:
            added = self._store.call(AccountRepository.add_key, host_id, checked, hash_secret(secret))
            accounts.keys[added.secret_hash] = added
        return secret

    def delete_key(self, host_id: int, key_id: int) -> None:
        """Make one of a host's keys useless, also for boards that it opened."""
        with self._changing() as accounts:
            self._store.call(AccountRepository.delete_key, host_id, key_id)
            for key in self.keys_of(host_id):
                if key.id == key_id:
                    accounts.keys.pop(key.secret_hash, None)

    # Proofs

    def by_password(self, name: str, password: str, address: str | None) -> HostRecord | None:
        """The host whose name and password these are.

        Raises:
            TooManyAttemptsError: too many from this address were wrong.
        """
        self._sign_ins.begin(address)
        found = self._store.call(AccountRepository.check_password, name, password[:MAX_PASSWORD_LENGTH])
        if found is not None:
            self._sign_ins.give_back(address)
        return found

    def by_session(self, session_id: str) -> HostUser | None:
        """The host of a session, unless it ended."""
        number, _, stamp = session_id.partition(".")
        record = self._loaded().hosts.get(int(number)) if number.isdecimal() else None
        if record is None or not hmac.compare_digest(record.stamp.encode(), stamp.encode()):
            return None
        return HostUser(record, "session")

    def by_bearer(self, secret: str, address: str | None) -> HostUser | None:
        """The host whose key this is, or whoever has the token.

        Keys are too long to be guessed, so right ones never wait for what others at the address tried.

        Raises:
            TooManyAttemptsError: too many from this address were wrong.
        """
        if secret.startswith(KEY_PREFIX) and (user := self._by_key(secret)):
            return user
        self._bearers.begin(address)
        if not self._is_token(secret):
            return None
        self._bearers.give_back(address)
        return HostUser(None, "token")

    def is_still_valid(self, user: HostUser) -> bool:
        """Whether what once proved who a user is would do so now."""
        if user.proof == "token":
            return self.first_token() is not None
        if user.key is not None:
            return user.key.secret_hash in self._loaded().keys
        return self.by_session(user.get_id()) is not None

    # First access

    def first_token(self) -> str | None:
        """The token for the first access: the one set, or this start's while nobody has an account."""
        return self._given_token or self.made_token()

    def made_token(self) -> str | None:
        """The token of this start, where none is set and nobody has an account."""
        return None if self._given_token or self.all() else self._made_token

    def open_first_access(self, token: str, address: str | None) -> str | None:
        """What a browser keeps to show that it had the token; None where it is wrong.

        Raises:
            TooManyAttemptsError: too many from this address were wrong.
        """
        self._sign_ins.begin(address)
        if not self._is_token(token):
            return None
        self._sign_ins.give_back(address)
        proof: str = _first_access_signer(token).dumps(self._newest_host())
        return proof

    def has_first_access(self, proof: object) -> bool:
        """Whether a browser may make an account: the token that it showed is the one now.

        A proof makes one account, as another newest host ends it, and is good for `FIRST_ACCESS_S`.
        """
        token = self.first_token()
        if token is None or not isinstance(proof, str):
            return False
        try:
            newest = _first_access_signer(token).loads(proof, max_age=FIRST_ACCESS_S)
        except BadData:
            return False
        return bool(newest == self._newest_host())

    # Inside

    def _by_key(self, secret: str) -> HostUser | None:
        accounts = self._loaded()
        key = accounts.keys.get(hash_secret(secret))
        record = accounts.hosts.get(key.host_id) if key else None
        return HostUser(record, "key", key) if record else None

    def _is_token(self, given: str) -> bool:
        token = self.first_token()
        return token is not None and hmac.compare_digest(token.encode(), given.encode())

    def _newest_host(self) -> int:
        return max((host.id for host in self.all()), default=0)

    def _loaded(self) -> Accounts:
        if (accounts := self._accounts) is not None:
            return accounts
        with self._lock:
            if self._accounts is None:
                hosts = self._store.call(AccountRepository.hosts)
                keys = self._store.call(AccountRepository.api_keys)
                self._accounts = Accounts(
                    {host.id: host for host in hosts}, {key.secret_hash: key for key in keys}
                )
            return self._accounts

    @contextmanager
    def _changing(self) -> Iterator[Accounts]:
        """The accounts, to be changed as the store is; a change that failed may yet be made there."""
        with self._lock:
            accounts = self._loaded()
            try:
                yield accounts
            except StoreError:
                self._accounts = None
                raise


def check_password(given: object) -> str:
    """A password that may be chosen.

    Raises:
        BadRequestError: it is too short or too long.
    """
    if not isinstance(given, str) or not MIN_PASSWORD_LENGTH <= len(given) <= MAX_PASSWORD_LENGTH:
        raise BadRequestError(f"The password must have at least {MIN_PASSWORD_LENGTH} characters.")
    return given


def _first_access_signer(token: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(token, salt="first access")
