"""Keeps memory and database the same after calls of the store whose outcome is not known.

A call that failed may have been carried out, or may still be: the store replied too late, or its process
ended in between. Its caller was told that it failed, so it must not have happened. Each such call leaves a
repair behind, which undoes it, or accepts what cannot be undone, such as a deletion. The store replies in
order, so a repair never overtakes the call that it is for.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from webapp.errors import StoreError
from webapp.store.client import Method, Store
from webapp.store.concurrency import SingleFlight

P = ParamSpec("P")
T = TypeVar("T")
Repair = Callable[[], object]
"""May be run more than once; raises a `StoreError` while the store cannot be asked."""

logger = logging.getLogger(__name__)


class Repairs:
    """The repairs that are due, in the order of their calls. Any thread may use it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._due: dict[int, Repair] = {}
        self._number = 0
        self._lock = threading.Lock()
        self._run_all = SingleFlight(self._run_due)

    def ask(self, repair: Repair, method: Method[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """What a method of the store returns; where it fails, `repair` will be run.

        Raises:
            StoreError: as `Store.call`.
        """
        try:
            return self._store.call(method, *arguments, **named)
        except StoreError:
            self.later(repair)
            raise

    def later(self, repair: Repair) -> None:
        """Run a repair as soon as the store can be asked."""
        with self._lock:
            self._number += 1
            self._due[self._number] = repair

    def settle(self) -> None:
        """Run what is due; to be called before the next change, outside all turns.

        A store that keeps failing thus fails the next change at once, and no repairs pile up.

        Raises:
            StoreError: the store cannot be asked; the repairs stay due.
        """
        if self._due:
            self._run_all()

    def _run_due(self) -> None:
        for number, repair in list(self._due.items()):
            repair()
            del self._due[number]
            logger.info("a change whose outcome was unknown is settled")
