"""What the server and the store's process say to each other, on top of the framing of `link`.

The first message, with READY_ID, is the URL of the database in UTF-8. A request's payload is a pickled
`Request`, a reply's the pickled outcome or a `StoreError`: both ends are our own, and neither reads files of
others.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

from webapp.errors import StoreError

CALL_TIMEOUT_S = 15.0
LONG_CALL_TIMEOUT_S = 120.0

LONG_METHODS = frozenset(
    {"load_rooms", "delete_room", "delete_participant", "count_samples", "open_export", "read_export"}
)
"""These go over all samples of a room, or of all rooms."""

EXPORT_METHODS = frozenset({"open_export", "read_export", "close_export"})
"""These have a thread of their own, so that an export never keeps samples waiting."""

PASSWORD_METHODS = frozenset({"add_host", "check_password", "set_password"})
"""These hash for a tenth of a second each, on a thread of their own likewise."""

LANES = ("requests", "exports", "passwords")

COMMIT_GRACE_S = 2.0
"""How much longer than its deadline a request is waited for. Nothing is committed after the deadline, so only
a commit that is under way by then can still be missed."""

_deadline_s: ContextVar[float] = ContextVar("deadline_s", default=float("inf"))


class Request(NamedTuple):
    """A method of `Archive` to call, and until when, on the clock of `time.monotonic`.

    That clock is the same in all processes of a machine.
    """

    method: str
    arguments: tuple[Any, ...]
    deadline_s: float


def call_timeout_s(method: str) -> float:
    """How long the caller of this method waits, in seconds."""
    return LONG_CALL_TIMEOUT_S if method in LONG_METHODS else CALL_TIMEOUT_S


def lane(method: str) -> str:
    """The requests among which this method's are answered in their order, by one thread."""
    if method in PASSWORD_METHODS:
        return "passwords"
    return "exports" if method in EXPORT_METHODS else "requests"


@contextmanager
def deadline(deadline_s: float) -> Iterator[None]:
    """Within it, `check_deadline` raises once the time has come; this does so at once where it has.

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
    """Refuse to go on with a request whose caller was told that it failed.

    Raises:
        StoreError: the deadline of this thread's request has passed.
    """
    if time.monotonic() > _deadline_s.get():
        raise StoreError("The request waited so long that its caller has given it up; nothing was done.")
