"""What the server and the store's process say to each other, on top of `ipc.framing`.

The first message, with READY_ID, is the URL of the database in UTF-8. A request's payload is a pickled
`Request`, a reply's the pickled outcome or a `StoreError`: both ends are our own, and neither reads files of
others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple, TypeVar

from webapp.errors import StoreError

CALL_TIMEOUT_S = 15.0
LONG_CALL_TIMEOUT_S = 120.0

REQUESTS, EXPORTS, PASSWORDS = LANES = ("requests", "exports", "passwords")
"""Each lane has a thread of its own in the store's process, which answers its requests in order: an export
never keeps samples waiting, and neither does a password, which takes a tenth of a second to hash."""

COMMIT_GRACE_S = 2.0
"""How much longer than its deadline a request is waited for. Nothing is committed after the deadline, so only
a commit that is under way by then can still be missed."""

Method = TypeVar("Method", bound=Callable[..., Any])

_deadline_s: ContextVar[float] = ContextVar("deadline_s", default=float("inf"))


class Request(NamedTuple):
    """A method of a repository to call in a lane, and until when, on the clock of `time.monotonic`.

    That clock is the same in all processes of a machine.
    """

    repository: str
    method: str
    arguments: tuple[Any, ...]
    deadline_s: float
    lane: str = REQUESTS


def takes_long(method: Method) -> Method:
    """Mark a method that reads or deletes all samples of a room, or reads all rooms."""
    method.__dict__["takes_long"] = True
    return method


def in_lane(name: str) -> Callable[[Method], Method]:
    """Mark a method whose requests have another lane than `REQUESTS`."""

    def mark(method: Method) -> Method:
        method.__dict__["lane"] = name
        return method

    return mark


def request_of(method: Callable[..., Any], arguments: tuple[Any, ...]) -> Request:
    """The request that calls a repository's method now."""
    repository, name = method.__qualname__.split(".")[-2:]
    return Request(repository, name, arguments, time.monotonic() + timeout_s(method), lane(method))


def timeout_s(method: Callable[..., Any]) -> float:
    """How long the caller of this method waits, in seconds."""
    return LONG_CALL_TIMEOUT_S if getattr(method, "takes_long", False) else CALL_TIMEOUT_S


def lane(method: Callable[..., Any]) -> str:
    """The lane of this method's requests."""
    return str(getattr(method, "lane", REQUESTS))


@contextmanager
def deadline(deadline_s: float) -> Iterator[None]:
    """Within it, `check_deadline` raises once the deadline has passed; entering raises if it already has.

    Raises:
        StoreError: the deadline has passed.
    """
    token = _deadline_s.set(deadline_s)
    try:
        check_deadline()
        yield
    finally:
        _deadline_s.reset(token)


def check_deadline(*_: object) -> None:
    """Refuse to continue a request whose caller was told that it failed.

    Raises:
        StoreError: the deadline of this thread's request has passed.
    """
    if time.monotonic() > _deadline_s.get():
        raise StoreError("The request waited so long that its caller has given it up; nothing was done.")
