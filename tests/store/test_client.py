from __future__ import annotations

import os
import pickle
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from tests.helpers.waiting import wait_until
from webapp.errors import StoreError
from webapp.export.store_process import Repositories
from webapp.ipc import framing
from webapp.store import client as client_module
from webapp.store import requests
from webapp.store.client import StoreClient
from webapp.store.exports import Exports
from webapp.store.records import RoomRecord
from webapp.store.repositories.accounts import AccountRepository
from webapp.store.repositories.recordings import RecordingRepository
from webapp.store.repositories.rooms import RoomRepository
from webapp.store.requests import request_of
from webapp.store.service import Service


def room(code: str) -> RoomRecord:
    return RoomRecord(code, "Room", "Text", {}, 1.0)


def codes(url: str) -> list[str]:
    """The codes of the rooms that the database holds."""
    archive = Repositories(url)
    try:
        return [saved.room.code for saved in archive.rooms.load_rooms()]
    finally:
        archive.close()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'test.sqlite'}"


@pytest.fixture
def store(url: str) -> Iterator[StoreClient]:
    running = StoreClient(url, "webapp.export.store_process")
    running.start()
    wait_until(lambda: running.ready)  # on a busy machine a start takes longer than a call may
    assert running.call(RoomRepository.load_rooms) == []
    yield running
    running.stop()


def test_a_frozen_store_is_killed_and_replaced(store: StoreClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "CALL_TIMEOUT_S", 1.0)
    monkeypatch.setattr(client_module, "COMMIT_GRACE_S", 0.5)
    frozen = store.pid
    assert frozen is not None
    os.kill(frozen, signal.SIGSTOP)
    with pytest.raises(StoreError):
        store.call(RoomRepository.add_room, room("LATE2345"))
    wait_until(lambda: store.pid != frozen and store.ready)
    monkeypatch.undo()
    assert store.call(RoomRepository.load_rooms) == []


def test_a_store_that_dies_is_replaced(store: StoreClient) -> None:
    store.call(RoomRepository.add_room, room("ABCD2345"))
    first = store.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: store.pid != first and store.ready)
    assert [saved.room.code for saved in store.call(RoomRepository.load_rooms)] == ["ABCD2345"]


def test_the_store_gets_what_its_database_needs_and_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIEN_HOST_TOKEN", "secret")
    monkeypatch.setenv("PGSSLMODE", "require")
    spec = client_module._spec("postgresql://u:secret@h/d", "webapp.export.store_process")
    assert spec.environment["PGSSLMODE"] == "require"
    assert not any(name.startswith("MIEN_") for name in spec.environment)
    assert "secret" not in " ".join(spec.command)


@pytest.mark.slow
@pytest.mark.parametrize("url", ["nonsense", "mysql://u:p@h/d"])
def test_a_wrong_database_is_not_tried_without_end(
    url: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "CALL_TIMEOUT_S", 10.0)
    store = StoreClient(url, "webapp.export.store_process")
    store.start()
    with pytest.raises(StoreError):
        while True:
            store.call(AccountRepository.hosts)
    time.sleep(4.0)
    store.stop()
    assert len([one for one in caplog.messages if "starting another" in one]) <= 4  # 0 + 0.5 + 1 + 2 s


class Peer:
    """Asks a service that runs in a thread, over its link."""

    def __init__(self, archive: Repositories) -> None:
        self._near_end, self._far_end = socket.socketpair()
        self._archive = archive
        service = Service(self._far_end, archive.by_name(), archive.database.prepare)
        self._service = threading.Thread(target=service.serve)
        self._service.start()

    def ask(self, method: Callable[..., Any], *arguments: Any, within_s: float = 60.0) -> Any:
        request = request_of(method, arguments)._replace(deadline_s=time.monotonic() + within_s)
        framing.send(self._near_end, framing.Message(1, pickle.dumps(request)))
        reply = framing.receive(self._near_end)
        assert reply is not None
        return pickle.loads(reply.payload)

    def close(self) -> None:
        self._near_end.close()
        self._service.join(10)
        self._far_end.close()
        self._archive.close()


@pytest.fixture
def peer(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Peer]:
    monkeypatch.setattr("webapp.store.service.step_back", lambda: None)
    peer = Peer(Repositories(url))
    assert peer.ask(RoomRepository.load_rooms) == []
    yield peer
    peer.close()


def test_a_request_whose_caller_has_given_up_is_not_carried_out(peer: Peer, url: str) -> None:
    assert isinstance(peer.ask(RoomRepository.add_room, room("LATE2345"), within_s=-0.1), StoreError)
    assert peer.ask(RoomRepository.add_room, room("ABCD2345")) is None
    assert codes(url) == ["ABCD2345"]


def test_a_request_that_gets_too_late_while_it_runs_is_rolled_back(peer: Peer, url: str) -> None:
    def dawdle(*_: object) -> None:
        time.sleep(0.5)

    event.listen(Engine, "after_cursor_execute", dawdle)
    try:
        assert isinstance(peer.ask(RoomRepository.add_room, room("LATE2345"), within_s=0.3), StoreError)
        assert peer.ask(RoomRepository.add_room, room("ABCD2345"), within_s=30.0) is None
    finally:
        event.remove(Engine, "after_cursor_execute", dawdle)
    assert codes(url) == ["ABCD2345"]


def test_requests_of_exports_do_not_wait_behind_others(peer: Peer) -> None:
    read, add = request_of(Exports.read_export, ()), request_of(RecordingRepository.add_samples, ())
    assert read.lane != add.lane
    assert read.deadline_s - add.deadline_s > 60
    assert peer.ask(Exports.close_export, 7) is None
