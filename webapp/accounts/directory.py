"""All accounts and keys of this server, kept in memory as the store has them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from webapp.errors import StoreError
from webapp.store.client import Store
from webapp.store.records import HostRecord, KeyRecord
from webapp.store.repositories.accounts import AccountRepository


@dataclass(frozen=True, slots=True)
class Accounts:
    """All hosts by number, and all keys by the hash of their secret."""

    hosts: dict[int, HostRecord]
    keys: dict[str, KeyRecord]


class Directory:
    """The accounts in memory.

    Any thread may call it. Changes and the first load hold the lock while the store is asked, so that no load
    brings back what a change just removed; readers do not wait for it once the accounts are loaded.
    """

    def __init__(self, store: Store, changes: Callable[[], int] = lambda: 0) -> None:
        """`changes` counts what other nodes changed too; with another count, everything is loaded again."""
        self._store = store
        self._changes = changes
        self._seen_changes = 0
        self._accounts: Accounts | None = None
        self._lock = threading.RLock()

    def accounts(self) -> Accounts:
        """What there is now.

        Raises:
            StoreError: it is not loaded yet, and cannot be.
        """
        if (accounts := self._accounts) is not None and self._seen_changes == self._changes():
            return accounts
        with self._lock:
            changes = self._changes()
            if self._accounts is None or self._seen_changes != changes:
                self._accounts, self._seen_changes = self._load(), changes
            return self._accounts

    @contextmanager
    def changing(self) -> Iterator[Accounts]:
        """The accounts, to be changed as the store is, by one thread at a time.

        What failed may still be carried out by the store, so after a failure everything is loaded again.
        """
        with self._lock:
            accounts = self.accounts()
            try:
                yield accounts
            except StoreError:
                self._accounts = None
                raise

    def _load(self) -> Accounts:
        hosts, keys = self._store.call(AccountRepository.hosts), self._store.call(AccountRepository.api_keys)
        return Accounts({host.id: host for host in hosts}, {key.secret_hash: key for key in keys})
