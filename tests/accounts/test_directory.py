"""Readers of accounts never wait for the store once it has answered, and believe nothing old for long."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.stores import ScriptedStore, scripted_rooms
from tests.helpers.waiting import wait_until
from webapp.accounts.directory import Directory
from webapp.accounts.hosts import Hosts
from webapp.accounts.rate_limits import AttemptLimit
from webapp.errors import StoreError
from webapp.store.repositories.accounts import AccountRepository


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ScriptedStore]:
    with scripted_rooms(tmp_path) as (_, store, _):
        yield store


def names(directory: Directory) -> set[str]:
    return {host.name for host in directory.accounts().hosts.values()}


def hosts_of(store: ScriptedStore, directory: Directory) -> Hosts:
    hosts = Hosts(store, directory, AttemptLimit(100))
    for name in ("ann", "ben"):
        hosts.add(name, "a long password")
    return hosts


def test_after_a_change_that_failed_readers_go_on_while_the_store_hangs(store: ScriptedStore) -> None:
    directory = Directory(store)
    hosts = hosts_of(store, directory)
    ben = next(host.id for host in hosts.all() if host.name == "ben")
    store.late.add("delete_host")
    with pytest.raises(StoreError):
        hosts.remove(ben)
    with store.slow("hosts") as asked:
        start_s = time.monotonic()
        assert names(directory) == {"ann", "ben"}
        assert asked.wait(10), "they are loaded again in the background"
        assert names(directory) == {"ann", "ben"}
        assert time.monotonic() - start_s < 10
        store.late.clear()
    wait_until(lambda: names(directory) == {"ann"})


def test_a_store_that_fails_is_asked_twice_a_second_at_most(store: ScriptedStore) -> None:
    changes = [0]
    directory = Directory(store, lambda: changes[0])
    hosts_of(store, directory)
    store.calls.clear()
    store.fails.add("hosts")
    changes[0] += 1
    end_s = time.monotonic() + 1.2
    while time.monotonic() < end_s:
        assert names(directory) == {"ann", "ben"}
        time.sleep(0.01)
    assert 1 <= store.calls.count("hosts") <= 4
    store.fails.clear()
    store.call(AccountRepository.add_host, "cat", "a long password")
    wait_until(lambda: names(directory) == {"ann", "ben", "cat"})


def test_what_another_node_took_back_counts_though_nobody_tells_of_it(store: ScriptedStore) -> None:
    """As while this node's heartbeats fail, and the store works."""
    current = [True]
    directory = Directory(store, is_up_to_date=lambda: current[0])
    hosts = hosts_of(store, directory)
    ben = next(host.id for host in hosts.all() if host.name == "ben")
    store.call(AccountRepository.delete_host, ben)
    assert names(directory) == {"ann", "ben"}
    current[0] = False
    wait_until(lambda: names(directory) == {"ann"})
    store.call(AccountRepository.add_host, "dora", "a long password")
    wait_until(lambda: names(directory) == {"ann", "dora"})


def test_a_change_begins_from_what_the_store_has(store: ScriptedStore) -> None:
    changes = [0]
    directory = Directory(store, lambda: changes[0])
    hosts = hosts_of(store, directory)
    store.call(AccountRepository.add_host, "cat", "a long password")
    changes[0] += 1
    hosts.add("dora", "a long password")
    assert names(directory) == {"ann", "ben", "cat", "dora"}
