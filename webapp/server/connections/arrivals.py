"""Whether something has arrived on a connection, or its other end is gone, without reading or waiting."""

from __future__ import annotations

import select
import socket

from eventlet import patcher

_poll = patcher.original("select").poll  # eventlet takes it away, as it could block; here it never waits

GONE = getattr(select, "POLLRDHUP", 0) | select.POLLHUP | select.POLLERR


def has_arrived(connection: socket.socket) -> bool:
    """Whether the next read would give something at once, be it the end."""
    decrypted = getattr(connection, "pending", None)  # TLS
    return bool(decrypted and decrypted()) or bool(_events(connection, select.POLLIN))


def is_gone(connection: socket.socket) -> bool:
    """Whether the other end has closed or reset the connection; one that was merely cut off is not known."""
    return connection.fileno() < 0 or bool(_events(connection, GONE))


def has_left(connection: socket.socket) -> bool:
    """Whether the other end of a new connection has closed it without a word."""
    if not _events(connection, GONE):
        return False
    plain = getattr(connection, "fd", connection)  # eventlet's own would wait
    try:
        return not plain.recv(1, socket.MSG_PEEK)
    except OSError:
        return True


def _events(connection: socket.socket, wanted: int) -> int:
    poll = _poll()
    poll.register(connection.fileno(), wanted)
    return next((events & wanted for _, events in poll.poll(0)), 0)
