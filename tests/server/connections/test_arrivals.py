from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.helpers.floods import RESET_AT_CLOSE
from tests.helpers.waiting import wait_until
from webapp.server.connections.arrivals import has_arrived, has_left, is_gone

Ends = tuple[socket.socket, socket.socket]


@pytest.fixture
def ends() -> Iterator[Ends]:
    """The server's end of a connection, and the client's."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        client = socket.create_connection(listening.getsockname())
        server, _ = listening.accept()
        with server, client:
            yield server, client


def test_a_silent_connection_has_nothing_and_is_there(ends: Ends) -> None:
    server, _ = ends
    assert (has_arrived(server), has_left(server), is_gone(server)) == (False, False, False)


def test_what_was_sent_has_arrived_until_it_is_read(ends: Ends) -> None:
    server, client = ends
    client.sendall(b"hello")
    wait_until(lambda: has_arrived(server))
    assert server.recv(100) == b"hello"
    assert not has_arrived(server)


@pytest.mark.parametrize("is_reset", [False, True])
def test_a_client_that_closes_is_gone(ends: Ends, is_reset: bool) -> None:
    server, client = ends
    if is_reset:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
    client.close()
    wait_until(lambda: is_gone(server))
    assert has_left(server)


def test_a_client_that_sent_something_before_it_closed_is_answered(ends: Ends) -> None:
    server, client = ends
    client.sendall(b"GET")
    client.shutdown(socket.SHUT_WR)
    wait_until(lambda: is_gone(server))
    assert not has_left(server)


def test_a_connection_that_this_end_closed_is_gone(ends: Ends) -> None:
    server, _ = ends
    server.close()
    assert is_gone(server)
