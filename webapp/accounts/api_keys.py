"""Hosts' keys for programs; only the hashes of their secrets are kept."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from webapp.accounts.directory import Directory
from webapp.accounts.identity import HostUser
from webapp.accounts.scopes import check_scopes
from webapp.store.client import Store
from webapp.store.records import KeyRecord, hash_secret
from webapp.store.repositories.accounts import AccountRepository
from webapp.store.text_checks import check_text

MAX_KEY_NAME_LENGTH = 80
KEY_PREFIX = "mien_"


class ApiKeys:
    """The keys of all hosts. Any thread may call it."""

    def __init__(self, store: Store, directory: Directory) -> None:
        self._store = store
        self._directory = directory

    def of(self, host_id: int) -> list[KeyRecord]:
        """A host's keys in the order in which they were made."""
        return [key for key in self._directory.accounts().keys.values() if key.host_id == host_id]

    def add(self, host_id: int, name: object, scopes: Iterable[str]) -> str:
        """Make a key for programs; returns its secret, which nobody can see again.

        Raises:
            BadRequestError: the name cannot be used, or the scopes cannot (see `check_scopes`).
        """
        checked_name, checked_scopes = check_text("name", name, MAX_KEY_NAME_LENGTH), check_scopes(scopes)
        secret = KEY_PREFIX + secrets.token_urlsafe(32)
        with self._directory.changing() as accounts:
            added = self._store.call(
                AccountRepository.add_key, host_id, checked_name, hash_secret(secret), checked_scopes
            )
            accounts.keys[added.secret_hash] = added
        return secret

    def delete(self, host_id: int, key_id: int) -> None:
        """Make one of a host's keys useless, also for boards that it opened."""
        with self._directory.changing() as accounts:
            self._store.call(AccountRepository.delete_key, host_id, key_id)
            for key in self.of(host_id):
                if key.id == key_id:
                    accounts.keys.pop(key.secret_hash, None)

    def user(self, secret: str) -> HostUser | None:
        """The host whose key has this secret."""
        if not secret.startswith(KEY_PREFIX):
            return None
        accounts = self._directory.accounts()
        key = accounts.keys.get(hash_secret(secret))
        record = accounts.hosts.get(key.host_id) if key else None
        return HostUser(record, "key", key) if record else None

    def is_valid(self, key: KeyRecord) -> bool:
        """Whether a key still opens anything."""
        return key.secret_hash in self._directory.accounts().keys
