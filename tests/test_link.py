from __future__ import annotations

import socket
import threading

import pytest

from webapp import link
from webapp.errors import LinkError


def test_a_message_arrives_as_it_was_sent() -> None:
    here, there = socket.socketpair()
    with here, there:
        link.send(here, link.Message(7, b"picture"))
        assert link.receive(there) == link.Message(7, b"picture")


def test_a_message_larger_than_the_socket_buffer_arrives_whole() -> None:
    here, there = socket.socketpair()
    payload = bytes(range(256)) * 20_000
    with here, there:
        sender = threading.Thread(target=link.send, args=(here, link.Message(1, payload)))
        sender.start()
        assert link.receive(there) == link.Message(1, payload)
        sender.join()


@pytest.mark.parametrize("sent", [b"", b"\x00\x00", link.HEADER.pack(9, 1) + b"half"])
def test_a_closed_peer_ends_the_stream_even_within_a_message(sent: bytes) -> None:
    here, there = socket.socketpair()
    with there:
        with here:
            here.sendall(sent)
        assert link.receive(there) is None


def test_a_message_that_announces_too_much_is_refused_before_it_is_read() -> None:
    here, there = socket.socketpair()
    with here, there:
        here.sendall(link.HEADER.pack(0xFFFF_FFFF, 1))
        with pytest.raises(LinkError, match="4,294,967,295 bytes"):
            link.receive(there, max_bytes=1000)
