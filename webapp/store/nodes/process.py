"""The process that holds a node's locks: `python -m webapp.store.nodes.process FILE_DESCRIPTOR`.

It is not the store's process: that one may hang on a long query or be killed, and rooms must not suffer. When
the server ends, however it ends, the link closes, and the locks are given up.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import socket
import sys

from webapp.errors import MienError
from webapp.ipc import framing
from webapp.store.nodes.locks import NodeLocks
from webapp.store.service import Service

logger = logging.getLogger(__name__)


def main(file_descriptor: int) -> None:
    """Hold locks in the database that the first message names, as the server asks.

    Raises:
        SettingsError: its URL cannot be used.
    """
    end = socket.socket(fileno=file_descriptor)
    end.setblocking(True)
    first = framing.receive(end)
    if first is not None:
        with contextlib.closing(NodeLocks(first.payload.decode())) as locks:
            framing.send(end, framing.Message(framing.READY_ID, b""))
            Service(end, {NodeLocks.__name__: locks}, lambda: None, gives_way=False).serve()


if __name__ == "__main__":
    logging.basicConfig(format="%(asctime)s %(levelname)s locks %(process)d: %(message)s")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the closing link ends us
    try:
        with contextlib.suppress(ConnectionError):  # the server is gone
            main(int(sys.argv[1]))
    except (MienError, OSError) as failure:
        logger.error("the process of the locks cannot start: %s", failure)
        sys.exit(1)
