"""A listening socket whose connections speak TLS, and which no connection can bring down.

eventlet's own TLS listener ends the whole server when a connection is reset between its arrival and its
acceptance, as port scanners do. In the serving process eventlet has made `socket` and `ssl` green.
"""

from __future__ import annotations

import logging
import socket
import ssl
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)


def tls_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """How this server speaks TLS: version 1.2 or later, with this certificate (chain) and its key, as PEM."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    return context


class TlsListener:
    """Wraps a listening socket; all but `accept` is the socket's own."""

    def __init__(self, listener: socket.socket, context: ssl.SSLContext) -> None:
        self._listener = listener
        self._context = context

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the socket has
        return getattr(self._listener, name)

    def accept(self) -> tuple[ssl.SSLSocket, Any]:
        """The next connection; its handshake is left to the thread that reads it, as a peer may be slow."""
        while True:
            connection, address = self._listener.accept()
            try:
                wrapped = self._context.wrap_socket(
                    connection, server_side=True, do_handshake_on_connect=False
                )
            except OSError as error:
                logger.debug("a connection ended before it began: %s", error)
                connection.close()
            else:
                return wrapped, address
