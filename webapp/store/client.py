"""The server's side of the store: a child process behind one typed call.

    store = StoreClient(url, "webapp.export.store_process")
    store.start()
    rooms = store.call(RoomRepository.load_rooms)   # blocks this (green) thread; raises a StoreError
    store.stop()

A store that dies, hangs or cannot be started is started again. Only the standard library waits here, which
eventlet has made green in the serving process.
"""

from __future__ import annotations

import math
import pickle
import sys
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from webapp.config import child_environment
from webapp.errors import ChildGoneError, StoreError
from webapp.ipc.child_process import ChildSpec
from webapp.ipc.supervisor import Supervisor
from webapp.store.requests import COMMIT_GRACE_S, request_of, timeout_s

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 8.0

STABLE_AFTER_S = 5.0
"""A store that ran for this long is replaced at once; pauses are for one that cannot start."""

DATABASE_PREFIXES = ("PG", "SSL_", "KRB5")
"""Variables that the client library of PostgreSQL reads."""

P = ParamSpec("P")
T = TypeVar("T")
Method = Callable[Concatenate[Any, P], T]
"""A method of a repository, as `RoomRepository.add_room`."""


class Store(Protocol):
    """Whoever can be asked what the repositories are asked."""

    def call(self, method: Method[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """What the method returns.

        Raises:
            StoreError: the store or its database is not there, or failed.
        """


class StoreClient:
    """A store in a process of its own; any thread may call it at any time."""

    def __init__(self, url: str, module: str, name: str = "store") -> None:
        """`url` is the database's; the process runs `module` with the descriptor of its end of the link."""
        self._supervisor = Supervisor(_spec(url, module, name), pickle.loads)

    @property
    def pid(self) -> int | None:
        """The process id, while there is one."""
        return self._supervisor.pid

    @property
    def ready(self) -> bool:
        """Whether the process can be asked; its database may be away all the same."""
        return self._supervisor.ready

    @property
    def restarts(self) -> int:
        """How often another process had to be started."""
        return self._supervisor.restarts

    def start(self) -> None:
        """Start the process, and again whenever it ends; returns before the database is open."""
        self._supervisor.start()

    def stop(self) -> None:
        """Let the process finish its requests, and end."""
        self._supervisor.stop()

    def call(self, method: Method[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """See `Store`; arguments are passed by position.

        A call that fails because the store did not answer in time is not carried out later: the request names
        its deadline, and the store commits nothing after it.
        """
        return self.call_within(math.inf, method, *arguments, **named)

    def call_within(
        self, lease_end_s: float, method: Method[P, T], *arguments: P.args, **named: P.kwargs
    ) -> T:
        """As `call`; nothing is committed after `lease_end_s` on the clock of leases either."""
        assert not named, "arguments are passed by position"
        request = request_of(method, arguments, lease_end_s)
        payload = pickle.dumps(request, protocol=pickle.HIGHEST_PROTOCOL)
        limit_s = timeout_s(method)
        if not self._supervisor.wait_until_spawned(limit_s):
            raise _gone()
        limit_s += COMMIT_GRACE_S
        try:
            reply = self._supervisor.request(payload, limit_s, request.lane)
            outcome: T | StoreError = reply.result(limit_s)
        except ChildGoneError:
            raise _gone() from None
        except TimeoutError:
            raise StoreError("The database does not answer.") from None
        if isinstance(outcome, StoreError):
            raise outcome
        return outcome


def _spec(url: str, module: str, name: str = "store") -> ChildSpec:
    return ChildSpec(
        name=name,
        command=(sys.executable, "-m", module, "{link}"),
        environment=child_environment(DATABASE_PREFIXES),
        hello=url.encode(),
        start_timeout_s=START_TIMEOUT_S,
        stop_timeout_s=STOP_TIMEOUT_S,
        restart_pause_s=0.5,
        max_restart_pause_s=30.0,
        stable_after_s=STABLE_AFTER_S,
    )


def _gone() -> StoreError:
    return StoreError("The store's process is not there; another is being started.")
