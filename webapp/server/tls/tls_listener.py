"""Listening sockets that no client can bring down, for http and TLS.

eventlet's own TLS listener stops the whole server if a connection is reset between its arrival and its
acceptance, as port scanners do, and its accept loop ends when file descriptors run out. In the serving
process eventlet has made `socket`, `ssl` and `time` green.
"""

from __future__ import annotations

import errno
import logging
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from webapp.server.connections.arrivals import has_left
from webapp.server.connections.descriptors import SHORTAGE

OUT_OF_RESOURCES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}

RETRY_S = 0.1
"""By then some connection may have ended."""

DEAD = {errno.EBADF, errno.EINVAL, errno.ENOTSOCK, errno.EOPNOTSUPP, errno.EFAULT}
"""Errors of the listening socket itself; all others concern the connection being accepted."""

logger = logging.getLogger(__name__)


def tls_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """TLS 1.2 or later with this certificate (chain) and its key, both PEM files."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    return context


class Listener:
    """Wraps a listening socket; everything but `accept` is the socket's own. One thread accepts.

    `make_room` ends a connection that can be spared; it is called when descriptors have run out.
    """

    def __init__(self, listener: socket.socket, make_room: Callable[[], object] = bool) -> None:
        self._listener = listener
        self._make_room = make_room

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the socket has
        return getattr(self._listener, name)

    def accept(self) -> tuple[socket.socket, Any]:
        """The next connection; waits for one while the listening socket works.

        Raises:
            OSError: it has failed.
        """
        while True:
            try:
                accepted = self._accept_one()
                SHORTAGE.accepted()
                return accepted
            except OSError as error:
                if error.errno in DEAD:
                    raise
                if error.errno in OUT_OF_RESOURCES:
                    SHORTAGE.begin(str(error.strerror))
                    self._make_room()
                    time.sleep(RETRY_S)
                else:
                    logger.debug("a connection ended before it began: %s", error)
                    time.sleep(0)  # very many of them must not hold up those that are served

    def _accept_one(self) -> tuple[socket.socket, Any]:
        connection, address = self._listener.accept()
        if has_left(connection):
            connection.close()
            raise ConnectionAbortedError("closed without a word")
        return connection, address


class TlsListener(Listener):
    """A listener whose connections speak TLS."""

    def __init__(
        self, listener: socket.socket, context: ssl.SSLContext, make_room: Callable[[], object] = bool
    ) -> None:
        super().__init__(listener, make_room)
        self._context = context

    def _accept_one(self) -> tuple[ssl.SSLSocket, Any]:
        """The handshake is left to the thread that reads the connection, as the peer may be slow."""
        connection, address = super()._accept_one()
        try:
            wrapped = self._context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        except OSError:
            connection.close()
            raise
        return wrapped, address
