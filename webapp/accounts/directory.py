"""All accounts and keys of this server, kept in memory as the store has them."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from webapp.errors import StoreError
from webapp.store.client import Store
from webapp.store.records import HostRecord, KeyRecord
from webapp.store.repositories.accounts import AccountRepository

RELOAD_INTERVAL_S = 0.5
"""The least time between two loads in the background, so that a failing store is not flooded."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Accounts:
    """All hosts by number, and all keys by the hash of their secret."""

    hosts: dict[int, HostRecord]
    keys: dict[str, KeyRecord]


class Directory:
    """The accounts in memory.

    Any thread may call it. Changes and loads hold the lock while the store is asked, so that no load brings
    back what a change just removed. Once the accounts are loaded, readers never wait: they get the accounts
    last known, while changes of other nodes, and what a failed change may have done after all, are loaded in
    the background.
    """

    def __init__(
        self,
        store: Store,
        changes: Callable[[], int] = lambda: 0,
        is_up_to_date: Callable[[], bool] = lambda: True,
    ) -> None:
        """`changes` counts the changes of all nodes; `is_up_to_date` says whether that count is current."""
        self._store = store
        self._changes = changes
        self._is_up_to_date = is_up_to_date
        self._seen_changes = 0
        self._is_stale = False
        self._accounts: Accounts | None = None
        self._lock = threading.RLock()
        self._reloading = threading.Lock()
        self._reloaded_s = -math.inf

    def accounts(self) -> Accounts:
        """What there is now, as far as it is known.

        Raises:
            StoreError: it is not loaded yet, and cannot be.
        """
        known = self._accounts
        if known is None:
            with self._lock:
                return self._accounts or self._loaded()
        if self._is_outdated() or not self._is_up_to_date():
            self._reload_in_background()
        return known

    @contextmanager
    def changing(self) -> Iterator[Accounts]:
        """The accounts, to be changed as the store is, by one thread at a time.

        What failed may still be carried out by the store, so after a failure everything is loaded again.
        """
        with self._lock:
            known = self._accounts
            accounts = self._loaded() if known is None or self._is_outdated() else known
            try:
                yield accounts
            except StoreError:
                self._is_stale = True
                raise

    def _is_outdated(self) -> bool:
        return self._is_stale or self._seen_changes != self._changes()

    def _reload_in_background(self) -> None:
        """Load everything again on another thread, unless that is under way or was just tried."""
        is_due = time.monotonic() - self._reloaded_s >= RELOAD_INTERVAL_S
        if is_due and self._reloading.acquire(blocking=False):
            threading.Thread(target=self._reload, name="accounts", daemon=True).start()

    def _reload(self) -> None:
        try:
            with self._lock:
                self._loaded()
        except StoreError as error:
            logger.debug("accounts are loaded again later: %s", error)
        finally:
            self._reloaded_s = time.monotonic()
            self._reloading.release()

    def _loaded(self) -> Accounts:
        """Load everything; the lock is held."""
        changes, self._is_stale = self._changes(), False
        try:
            self._accounts, self._seen_changes = self._load(), changes
        except StoreError:
            self._is_stale = True
            raise
        return self._accounts

    def _load(self) -> Accounts:
        hosts, keys = self._store.call(AccountRepository.hosts), self._store.call(AccountRepository.api_keys)
        return Accounts({host.id: host for host in hosts}, {key.secret_hash: key for key in keys})
