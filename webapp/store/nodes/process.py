"""The process that holds a node's locks: `python -m webapp.store.nodes.process FILE_DESCRIPTOR`.

It is not the store's process: that one may hang on a long query or be killed, and rooms must not suffer. When
the server ends, however it ends, the link closes, and the locks are given up.
"""

from __future__ import annotations

import contextlib
import socket

from webapp.ipc import framing
from webapp.store.nodes.locks import NodeLocks
from webapp.store.service import Service, run_process


def serve(end: socket.socket, url: str) -> None:
    """Hold locks in a database, as the server asks.

    Raises:
        SettingsError: its URL cannot be used.
    """
    with contextlib.closing(NodeLocks(url)) as locks:
        framing.send(end, framing.Message(framing.READY_ID, b""))
        Service(end, {NodeLocks.__name__: locks}, lambda: None, gives_way=False).serve()


if __name__ == "__main__":
    run_process("locks", serve)
