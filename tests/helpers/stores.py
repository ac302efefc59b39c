"""Stores for tests: repositories without a process between, which may be slow, late, or fail."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from webapp.errors import StoreError
from webapp.export.store_process import Repositories
from webapp.rooms.service import RoomService
from webapp.store.requests import request_of
from webapp.store.sample_writer import SampleWriter


def answer(archive: Repositories, method: Callable[..., Any], *arguments: Any) -> Any:
    """What the store's process would reply to a request, without its limits of time."""
    request = request_of(method, arguments)
    return getattr(archive.by_name()[request.repository], request.method)(*arguments)


class LocalStore:
    """Asks repositories without a process between; fails while `failing`."""

    def __init__(self, archive: Repositories) -> None:
        self.archive = archive
        self.failing = False

    def call(self, method: Any, *arguments: Any, **named: Any) -> Any:
        if self.failing:
            raise StoreError("disk full")
        return answer(self.archive, method, *arguments)


class ScriptedStore:
    """Asks repositories, one call at a time and in order, as the store's process does.

    `fails` has the methods that do nothing but fail. A method in `late` fails for who asks, and is carried
    out before the next call of another. A method that is `slow` waits until the block ends.
    """

    def __init__(self, archive: Repositories) -> None:
        self.archive = archive
        self.fails: set[str] = set()
        self.late: set[str] = set()
        self.calls: list[str] = []
        self._slow: dict[str, tuple[threading.Event, threading.Event]] = {}
        self._postponed: list[Callable[[], object]] = []
        self._order = threading.Lock()

    def call(self, method: Any, *arguments: Any, **named: Any) -> Any:
        name = method.__name__
        self.calls.append(name)
        if name in self._slow:
            reached, opened = self._slow[name]
            reached.set()
            assert opened.wait(20), f"{name} was never let go on"
        if name in self.fails:
            raise StoreError("disk full")
        if name in self.late:
            self._postponed.append(lambda: answer(self.archive, method, *arguments))
            raise StoreError("The database does not answer.")
        with self._order:
            self._catch_up()
            try:
                return answer(self.archive, method, *arguments)
            except SQLAlchemyError as error:
                raise StoreError(str(error)) from error

    def carry_out(self) -> None:
        """Do what had failed, as a store does that was only slow."""
        self.late.clear()
        with self._order:
            self._catch_up()

    def _catch_up(self) -> None:
        while self._postponed:
            self._postponed.pop(0)()

    @contextmanager
    def slow(self, name: str) -> Iterator[threading.Event]:
        """Calls of a method wait until the block ends; the event says that one has come."""
        reached, opened = threading.Event(), threading.Event()
        self._slow[name] = reached, opened
        try:
            yield reached
        finally:
            del self._slow[name]
            opened.set()


@contextmanager
def scripted_rooms(folder: Path) -> Iterator[tuple[RoomService, ScriptedStore, SampleWriter]]:
    """A room service with a database of its own in a folder."""
    archive = Repositories(f"sqlite:///{folder / 'test.sqlite'}")
    archive.database.prepare()
    store = ScriptedStore(archive)
    writer = SampleWriter(store)
    yield RoomService(store, writer, "model"), store, writer
    archive.close()


class Background:
    """`with Background(function, ...) as running:` runs it on a thread; `running.outcome()` waits for it.

    The end of the block does not: it may be what lets the function go on.
    """

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self._function, self._arguments = function, arguments
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._outcome: object = None

    def __enter__(self) -> Background:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Leave it running."""

    def outcome(self, limit_s: float = 20) -> object:
        """What the function returned, or the error that it raised."""
        self._thread.join(limit_s)
        assert not self._thread.is_alive(), "it still waits"
        return self._outcome

    def _run(self) -> None:
        try:
            self._outcome = self._function(*self._arguments)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            self._outcome = error
