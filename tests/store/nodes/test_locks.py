"""The locks of nodes in a real PostgreSQL: who holds a room, for how long, and what of it is stored."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import text

from tests.helpers.postgres import Postgres, find_postgres, running_postgres
from tests.helpers.waiting import wait_until
from webapp.export.store_process import Repositories
from webapp.store.nodes.locks import NodeLocks
from webapp.store.nodes.messages import (
    CLOCK_MARGIN_S,
    IDLE_SESSION_S,
    LEASE_S,
    Heartbeat,
    HeldElsewhere,
    Identity,
    Note,
    Taken,
)
from webapp.store.records import Owner, ParticipantRecord, RoomRecord, SampleRecord

A = Identity("a", "first start of a", "key")
B = Identity("b", "first start of b", "key")

ROOM = RoomRecord("ABCD2345", "Room", "What this is.", {}, 1.0)
PERSON = ParticipantRecord("p1", ROOM.code, "A", "hash", "v", 1.0)


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    programs = find_postgres()
    if programs is None:
        pytest.skip("no PostgreSQL is installed")
    with running_postgres(programs) as running:
        yield running


@pytest.fixture
def store(postgres: Postgres) -> Iterator[Repositories]:
    repositories = Repositories(postgres.url)
    repositories.database.prepare()
    repositories.rooms.add_room(ROOM)
    yield repositories
    repositories.rooms.delete_room(ROOM.code)
    with repositories.database.engine.begin() as connection:
        connection.execute(text("DELETE FROM node"))
    repositories.close()


@pytest.fixture
def a(postgres: Postgres) -> Iterator[NodeLocks]:
    yield from node(postgres)


@pytest.fixture
def b(postgres: Postgres) -> Iterator[NodeLocks]:
    yield from node(postgres)


def node(postgres: Postgres) -> Iterator[NodeLocks]:
    locks = NodeLocks(postgres.url)
    yield locks
    locks.close()


def heartbeat(locks: NodeLocks, who: Identity, claimed: dict[str, int] | None = None) -> Heartbeat:
    answer = locks.heartbeat(who, claimed or {}, {})
    assert answer is not None
    return answer


def somebody_waits(store: Repositories) -> bool:
    """Whether a transaction waits for another one's locks."""
    with store.database.engine.connect() as connection:
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        return bool(connection.scalar(text(waiting)))


def take(locks: NodeLocks, who: Identity) -> Taken:
    taken = locks.take(who, ROOM.code)
    assert isinstance(taken, Taken)
    return taken


def taken_from_lost(a: NodeLocks, b: NodeLocks) -> Taken:
    """B takes the room at once after A had it and its connection broke."""
    take(a, A)
    a._drop()
    taken = b.take(B, ROOM.code)
    while not isinstance(taken, Taken):
        taken = b.take(B, ROOM.code)
    return taken


def sample(recording_id: int, frame: int) -> SampleRecord:
    return SampleRecord(recording_id, PERSON.id, frame, 1.0, 1.0, 1.0, None, 640, 480, "model")


def test_a_room_is_held_by_one_node(store: Repositories, a: NodeLocks, b: NodeLocks) -> None:
    heartbeat(a, A)
    heartbeat(b, B)
    assert take(a, A).wait_s == 0.0
    assert b.take(B, ROOM.code) == HeldElsewhere("a")


def test_a_room_that_was_given_up_is_taken_at_once_in_another_epoch(
    store: Repositories, a: NodeLocks, b: NodeLocks
) -> None:
    heartbeat(a, A)
    heartbeat(b, B)
    first = take(a, A)
    a.give(A, [ROOM.code])
    second = take(b, B)
    assert (second.epoch, second.wait_s) == (first.epoch + 1, 0.0)


def test_an_end_of_the_server_gives_everything_up(store: Repositories, a: NodeLocks, b: NodeLocks) -> None:
    heartbeat(a, A)
    take(a, A)
    a.close()  # what the process does once the link to its server is closed
    heartbeat(b, B)
    assert take(b, B).wait_s == 0.0


def test_who_takes_a_room_that_was_lost_waits_until_the_lease_is_over(
    store: Repositories, a: NodeLocks, b: NodeLocks
) -> None:
    heartbeat(a, A)
    heartbeat(b, B)
    take(a, A)
    a._drop()  # the connection breaks; the server may not know yet
    wait_until(lambda: isinstance(b.take(B, ROOM.code), Taken))
    b.give(B, [ROOM.code])
    begin_s = time.monotonic()
    heartbeat(a, A)
    taken = taken_from_lost(a, b)
    elapsed_s = time.monotonic() - begin_s
    assert LEASE_S - elapsed_s <= taken.wait_s <= LEASE_S + CLOCK_MARGIN_S


def test_no_clock_that_was_set_back_keeps_a_room_waiting(
    store: Repositories, a: NodeLocks, b: NodeLocks
) -> None:
    """The last owner is then seen in the future."""
    heartbeat(a, A)
    heartbeat(b, B)
    take(a, A)
    a._drop()
    with store.database.engine.begin() as connection:
        connection.execute(text("UPDATE node SET seen_ms = seen_ms + 600000"))
    wait_until(lambda: isinstance(b.take(B, ROOM.code), Taken))
    assert 0 < take(b, B).wait_s <= LEASE_S + CLOCK_MARGIN_S


def test_who_takes_a_room_again_waits_for_what_is_left_of_the_lease(
    store: Repositories, a: NodeLocks, b: NodeLocks
) -> None:
    heartbeat(a, A)
    heartbeat(b, B)
    begin_s = time.monotonic()
    taken = taken_from_lost(a, b)
    time.sleep(0.2)
    again = take(b, B)
    elapsed_s = time.monotonic() - begin_s
    assert taken.wait_s - elapsed_s <= again.wait_s <= taken.wait_s - 0.2


def test_postgresql_itself_ends_the_session_of_a_node_that_is_frozen(
    store: Repositories, a: NodeLocks, b: NodeLocks
) -> None:
    heartbeat(a, A)
    heartbeat(b, B)
    frozen_s = time.monotonic()
    take(a, A)
    while isinstance(taken := b.take(B, ROOM.code), HeldElsewhere):
        heartbeat(b, B)
        time.sleep(0.1)
    assert isinstance(taken, Taken)
    held_s = time.monotonic() - frozen_s
    assert held_s >= IDLE_SESSION_S - 1 > LEASE_S, "the lease was over before"
    assert taken.wait_s <= 1.0, "the node was silent for longer than a lease"
    assert a.heartbeat(A, {ROOM.code: 1}, {}) is None, "it learns that its session is gone"
    assert heartbeat(a, A, {ROOM.code: 1}).held == {}, "and cannot have the room back"


def test_a_node_whose_session_was_lost_keeps_a_room_that_nobody_else_had(
    store: Repositories, a: NodeLocks
) -> None:
    heartbeat(a, A)
    first = take(a, A)
    a._drop()
    wait_until(lambda: a.heartbeat(A, {ROOM.code: first.epoch}, {}))  # once PostgreSQL has ended the lost one
    assert heartbeat(a, A, {ROOM.code: first.epoch}).held == {ROOM.code: first.epoch}


def test_another_start_of_the_same_node_is_another_owner(
    store: Repositories, a: NodeLocks, postgres: Postgres
) -> None:
    heartbeat(a, A)
    first = take(a, A)
    a.close()
    restarted = NodeLocks(postgres.url)
    later = A._replace(incarnation="second start of a")
    wait_until(lambda: restarted.heartbeat(later, {}, {}))  # once PostgreSQL has ended the first one
    assert take(restarted, later).epoch == first.epoch + 1
    restarted.close()


def test_two_nodes_cannot_have_one_name(
    store: Repositories, a: NodeLocks, b: NodeLocks, caplog: pytest.LogCaptureFixture
) -> None:
    heartbeat(a, A)
    assert b.heartbeat(B._replace(node="a"), {}, {}) is None
    assert "another node is named a" in caplog.text


def test_a_lock_that_its_server_does_not_know_of_is_given_up(
    store: Repositories, a: NodeLocks, b: NodeLocks
) -> None:
    heartbeat(a, A)
    heartbeat(b, B)
    take(a, A)
    heartbeat(a, A)
    assert isinstance(b.take(B, ROOM.code), HeldElsewhere), "the answer may be on its way"
    heartbeat(a, A)
    take(b, B)


def test_nodes_with_different_keys_of_sessions_are_named(
    store: Repositories, a: NodeLocks, b: NodeLocks
) -> None:
    heartbeat(a, A)
    assert heartbeat(b, B._replace(key_print="other")).other_keys == ("a",)
    assert heartbeat(a, A).other_keys == ("b",)


def test_a_task_is_done_by_one_node_at_a_time(store: Repositories, a: NodeLocks, b: NodeLocks) -> None:
    heartbeat(a, A)
    heartbeat(b, B)
    assert a.take_named("retention")
    assert not b.take_named("retention")
    a.give_named("retention")
    assert b.take_named("retention")


def test_samples_of_an_earlier_owner_are_not_stored(store: Repositories, a: NodeLocks, b: NodeLocks) -> None:
    store.rooms.add_participant(PERSON)
    recording = store.recordings.start_recording(ROOM.code, 1.0).id
    heartbeat(a, A)
    heartbeat(b, B)
    first = Owner(ROOM.code, take(a, A).epoch)
    assert store.recordings.add_samples([sample(recording, 0)], [first]) == [True]
    a.give(A, [ROOM.code])
    second = Owner(ROOM.code, take(b, B).epoch)
    late, new = replace(sample(recording, 1), width=1), replace(sample(recording, 1), width=2)
    assert store.recordings.add_samples([late, new], [first, second]) == [False, True]
    assert store.recordings.count_samples(ROOM.code) == 2


def test_lists_show_what_a_rooms_node_last_said(store: Repositories, a: NodeLocks) -> None:
    heartbeat(a, A)
    taken = take(a, A)
    a.heartbeat(A, {ROOM.code: taken.epoch}, {ROOM.code: Note(7, ("p1",))})
    (listed,) = store.rooms.list_rooms()
    assert (listed.samples, listed.connected) == (7, ("p1",))
    a.give(A, [ROOM.code])
    (listed,) = store.rooms.list_rooms()
    assert (listed.samples, listed.connected) == (7, ())


def test_a_change_of_accounts_is_counted_for_all_nodes(store: Repositories, a: NodeLocks) -> None:
    assert store.accounts.add_host("Bob", "a long password")
    before = heartbeat(a, A).accounts
    host = store.accounts.add_host("Ada", "a long password")
    assert host is not None
    key = store.accounts.add_key(host.id, "key", "hash", ("markers",))
    store.accounts.delete_key(host.id, key.id)
    store.accounts.renew_stamp(host.id)
    store.accounts.delete_host(host.id)
    assert heartbeat(a, A).accounts == before + 5


def test_two_nodes_cannot_delete_the_last_two_hosts(store: Repositories, postgres: Postgres) -> None:
    hosts = [store.accounts.add_host(name, "a long password") for name in ("Cleo", "Dora")]
    with store.database.engine.begin() as connection:
        connection.execute(text("DELETE FROM host WHERE name NOT IN ('Cleo', 'Dora')"))
    other = Repositories(postgres.url)
    other.database.prepare()
    cleo, dora = (host.id for host in hosts if host is not None)
    with ThreadPoolExecutor(1) as pool, store.database.engine.connect() as connection:
        connection.execute(text("SELECT id FROM host FOR UPDATE"))
        connection.execute(text("DELETE FROM host WHERE id = :id"), {"id": cleo})
        deleted = pool.submit(other.accounts.delete_host, dora)
        wait_until(lambda: somebody_waits(store))
        connection.commit()
        assert deleted.result() is False
    assert [host.name for host in store.accounts.hosts()] == ["Dora"]
    other.close()


def test_a_restart_of_postgresql_loses_no_room_that_nobody_else_takes(
    store: Repositories, a: NodeLocks, postgres: Postgres
) -> None:
    heartbeat(a, A)
    first = take(a, A)
    postgres.stop()
    assert a.heartbeat(A, {ROOM.code: first.epoch}, {}) is None
    postgres.start()
    assert heartbeat(a, A, {ROOM.code: first.epoch}).held == {ROOM.code: first.epoch}
