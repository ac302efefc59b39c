"""The lease of a server, with a real process for its locks and a real PostgreSQL."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.helpers.postgres import Postgres, find_postgres, running_postgres
from tests.helpers.waiting import wait_until
from webapp.errors import LeaseOverError, NotHereError, StoreError
from webapp.export.store_process import Repositories
from webapp.ipc import child_process
from webapp.store.client import StoreClient
from webapp.store.leases import lease_clock
from webapp.store.nodes.locks import NodeLocks
from webapp.store.nodes.messages import IDLE_SESSION_S, LEASE_S, Identity, Note
from webapp.store.nodes.room_locks import LeasedStore, RoomLocks
from webapp.store.records import RoomRecord
from webapp.store.repositories.rooms import RoomRepository

ROOM = RoomRecord("ABCD2345", "Room", "What this is.", {}, 1.0)


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    programs = find_postgres()
    if programs is None:
        pytest.skip("no PostgreSQL is installed")
    with running_postgres(programs) as running:
        repositories = Repositories(running.url)
        repositories.database.prepare()
        repositories.rooms.add_room(ROOM)
        repositories.close()
        yield running


class Node:
    """A node's locks, their process, and what it was told that it lost."""

    def __init__(self, postgres: Postgres, name: str, key_print: str = "key") -> None:
        self.client = StoreClient(postgres.url, "webapp.store.nodes.process", "locks")
        self.lost: dict[str, float] = {}
        identity = Identity(name, os.urandom(8).hex(), key_print)
        self.locks = RoomLocks(self.client, identity, self.lost.update)

    def takes(self) -> bool:
        """Whether it can take the room now."""
        try:
            self.locks.take(ROOM.code)
        except NotHereError:
            return False
        return True


@contextmanager
def running_node(postgres: Postgres, name: str, key_print: str = "key") -> Iterator[Node]:
    node = Node(postgres, name, key_print)
    node.locks.start()
    try:
        wait_until(lambda: node.locks.lease_end_s > lease_clock())
        yield node
    finally:
        node.locks.stop()


def test_a_lease_is_renewed_and_ends_with_its_node(postgres: Postgres) -> None:
    with running_node(postgres, "a") as a:
        assert a.takes()
        first_s = a.locks.lease_end_s
        wait_until(lambda: a.locks.lease_end_s > first_s)
        assert a.locks.holds(ROOM.code)
        a.locks.give([ROOM.code])
        assert not a.locks.holds(ROOM.code)


def test_a_lease_is_over_before_another_node_can_have_the_lock(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_process, "STOPPED_TIMEOUT_S", 60.0)  # as if nobody noticed that it is frozen
    with running_node(postgres, "a") as a, running_node(postgres, "b") as b:
        assert a.takes()
        assert a.client.pid is not None
        os.kill(a.client.pid, signal.SIGSTOP)  # no heartbeat is answered any more
        try:
            stopped_s = lease_clock()
            wait_until(b.takes)
            assert a.lost, "its server knew before"
            assert a.lost[ROOM.code] <= stopped_s + LEASE_S < lease_clock() <= stopped_s + IDLE_SESSION_S + 20
            assert not a.locks.holds(ROOM.code)
        finally:
            os.kill(a.client.pid, signal.SIGCONT)
        wait_until(lambda: a.locks.lease_end_s > lease_clock())
        assert not a.takes()
        b.locks.give([ROOM.code])
        wait_until(a.takes)
        a.locks.give([ROOM.code])


def test_a_killed_process_of_the_locks_costs_no_room(postgres: Postgres) -> None:
    with running_node(postgres, "a") as a:
        wait_until(a.takes)
        pid = a.client.pid
        assert pid is not None
        killed_s = lease_clock()
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: a.client.pid not in (None, pid) and a.client.ready)
        ready_s = lease_clock() - killed_s
        wait_until(lambda: a.locks.lease_end_s > killed_s + LEASE_S or a.lost)
        is_slow = ready_s > LEASE_S - 2  # another process cannot be there in time on a busy machine
        assert is_slow or (a.lost == {} and a.locks.holds(ROOM.code))
        a.locks.give([ROOM.code])


def test_what_a_failed_heartbeat_did_not_say_is_said_by_the_next(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_node(postgres, "a") as a:
        wait_until(a.takes)
        call, said = a.client.call, []

        def fail_once(operation: Any, *arguments: Any) -> Any:  # noqa: ANN401 - as the client's own
            if operation is NodeLocks.heartbeat and arguments[2]:
                said.append(arguments[2])
                if len(said) == 1:
                    raise StoreError("PostgreSQL is away.")
            return call(operation, *arguments)

        monkeypatch.setattr(a.client, "call", fail_once)
        a.locks.note(ROOM.code, Note(5, ("one",)))
        wait_until(lambda: len(said) == 2)
        assert said[0] == said[1] == {ROOM.code: Note(5, ("one",))}
        a.locks.give([ROOM.code])


def test_a_node_with_another_key_of_sessions_says_so(
    postgres: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    with running_node(postgres, "a"), running_node(postgres, "c", "another key"):
        wait_until(lambda: "key of sessions is not that of a" in caplog.text)
        wait_until(lambda: "key of sessions is not that of c" in caplog.text)


def test_the_store_commits_no_change_of_a_room_once_the_lease_is_over(postgres: Postgres) -> None:
    store = StoreClient(postgres.url, "webapp.export.store_process")
    store.start()
    try:
        wait_until(lambda: store.ready)
        assert store.call(RoomRepository.has_room, ROOM.code)
        with pytest.raises(LeaseOverError):
            store.call_within(lease_clock() - 0.001, RoomRepository.close_room, ROOM.code, 1.0)
        assert store.call(RoomRepository.load_room, ROOM.code).room.closed_ms is None  # type: ignore[union-attr]
        with running_node(postgres, "a") as a:
            leased = LeasedStore(store, a.locks)
            leased.call(RoomRepository.close_room, ROOM.code, time.time())
            assert store.call(RoomRepository.load_room, ROOM.code).room.closed_ms is not None  # type: ignore[union-attr]
    finally:
        store.stop()
