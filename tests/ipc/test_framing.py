from __future__ import annotations

import socket
import threading

import pytest

from webapp.errors import LinkError
from webapp.ipc import framing


def test_a_message_arrives_as_it_was_sent() -> None:
    here, there = socket.socketpair()
    with here, there:
        framing.send(here, framing.Message(7, b"image"))
        assert framing.receive(there) == framing.Message(7, b"image")


def test_a_message_larger_than_the_socket_buffer_arrives_whole() -> None:
    here, there = socket.socketpair()
    payload = bytes(range(256)) * 20_000
    with here, there:
        sender = threading.Thread(target=framing.send, args=(here, framing.Message(1, payload)))
        sender.start()
        assert framing.receive(there) == framing.Message(1, payload)
        sender.join()


@pytest.mark.parametrize("sent", [b"", b"\x00\x00", framing.HEADER.pack(9, 1) + b"half"])
def test_a_closed_peer_ends_the_stream_even_within_a_message(sent: bytes) -> None:
    here, there = socket.socketpair()
    with there:
        with here:
            here.sendall(sent)
        assert framing.receive(there) is None


def test_a_message_that_announces_too_much_is_refused_before_it_is_read() -> None:
    here, there = socket.socketpair()
    with here, there:
        here.sendall(framing.HEADER.pack(0xFFFF_FFFF, 1))
        with pytest.raises(LinkError, match="4,294,967,295 bytes"):
            framing.receive(there, max_bytes=1000)
