"""What the server and the store's process say to each other, on top of `ipc.framing`.

The first message, with READY_ID, is the URL of the database in UTF-8. A request's payload is a pickled
`Request`, a reply's the pickled outcome or a `StoreError`: both ends are our own, and neither reads files of
others.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple, TypeVar

from webapp.errors import LeaseOverError, StoreError
from webapp.store.leases import lease_clock

CALL_TIMEOUT_S = 15.0
LONG_CALL_TIMEOUT_S = 120.0

REQUESTS, EXPORTS, PASSWORDS = LANES = ("requests", "exports", "passwords")
"""Each lane has a thread of its own in the store's process, which answers its requests in order: an export
never keeps samples waiting, and neither does a password, which takes a tenth of a second to hash."""

COMMIT_GRACE_S = 2.0
"""How much longer than its deadline a request is waited for. Nothing is committed after the deadline, so only
a commit that is under way by then can still be missed."""

Method = TypeVar("Method", bound=Callable[..., Any])

_deadline_s: ContextVar[float] = ContextVar("deadline_s", default=math.inf)
_lease_end_s: ContextVar[float] = ContextVar("lease_end_s", default=math.inf)


class Request(NamedTuple):
    """A method of a repository to call in a lane, and until when, on the clock of `time.monotonic`.

    That clock is the same in all processes of a machine. `lease_end_s`, on that of `leases`, is until
    when the server may change rooms.
    """

    repository: str
    method: str
    arguments: tuple[Any, ...]
    deadline_s: float
    lane: str = REQUESTS
    lease_end_s: float = math.inf


def takes_long(method: Method) -> Method:
    """Mark a method that reads or deletes all samples of a room, or reads all rooms."""
    method.__dict__["takes_long"] = True
    return method


def only_reads(method: Method) -> Method:
    """Mark a method that changes nothing, so that it does not matter when it runs."""
    method.__dict__["only_reads"] = True
    return method


def needs_lease(method: Callable[..., Any]) -> bool:
    """Whether a method changes rooms at once; one that takes long deletes, which late is as good."""
    return not getattr(method, "only_reads", False) and not getattr(method, "takes_long", False)


def in_lane(name: str) -> Callable[[Method], Method]:
    """Mark a method whose requests have another lane than `REQUESTS`."""

    def mark(method: Method) -> Method:
        method.__dict__["lane"] = name
        return method

    return mark


def request_of(
    method: Callable[..., Any], arguments: tuple[Any, ...], lease_end_s: float = math.inf
) -> Request:
    """The request that calls a repository's method now."""
    repository, name = method.__qualname__.split(".")[-2:]
    deadline_s = time.monotonic() + timeout_s(method)
    return Request(repository, name, arguments, deadline_s, lane(method), lease_end_s)


def timeout_s(method: Callable[..., Any]) -> float:
    """How long the caller of this method waits, in seconds."""
    return LONG_CALL_TIMEOUT_S if getattr(method, "takes_long", False) else CALL_TIMEOUT_S


def lane(method: Callable[..., Any]) -> str:
    """The lane of this method's requests."""
    return str(getattr(method, "lane", REQUESTS))


@contextmanager
def deadline(deadline_s: float, lease_end_s: float = math.inf) -> Iterator[None]:
    """Within it, `check_deadline` raises once either has passed; entering raises if one already has.

    Raises:
        StoreError: the deadline has passed, or the lease is over.
    """
    tokens = _deadline_s.set(deadline_s), _lease_end_s.set(lease_end_s)
    try:
        check_deadline()
        yield
    finally:
        _deadline_s.reset(tokens[0])
        _lease_end_s.reset(tokens[1])


def check_deadline(*_: object) -> None:
    """Refuse to continue a request whose caller was told that it failed.

    Raises:
        StoreError: the deadline of this thread's request has passed, or its server's lease is over.
    """
    if lease_clock() > _lease_end_s.get():
        raise LeaseOverError(
            "The lease of this node is over, and another may have the room: nothing was done."
        )
    if time.monotonic() > _deadline_s.get():
        raise StoreError("The request waited so long that its caller has given it up; nothing was done.")
