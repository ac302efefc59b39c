"""A network between a participant and the server that can be cut."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Self

PIECE_BYTES = 1 << 16


class TcpProxy:
    """`with TcpProxy(port) as proxy:` forwards connections to `proxy.port` to a port of this machine.

    `stall` lets nothing through, as a radio link that is out of reach, and lets it pass later, as TCP sends
    again what got lost. `drop` ends all connections and accepts none. `restore` ends both.
    """

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._passing = threading.Event()
        self._passing.set()
        self._accepting = True
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._end_all()
        self._passing.set()

    def stall(self) -> None:
        """Let nothing through."""
        self._passing.clear()

    def drop(self) -> None:
        """End all connections, and new ones at once."""
        self._accepting = False
        self._end_all()

    def restore(self) -> None:
        """Let everything through."""
        self._accepting = True
        self._passing.set()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                if self._accepting:
                    self._connect(near)
                else:
                    near.close()

    def _connect(self, near: socket.socket) -> None:
        far = socket.create_connection(("127.0.0.1", self._target_port))
        with self._lock:
            self._open |= {near, far}
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=self._forward, args=(source, sink), daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(PIECE_BYTES):
                self._passing.wait()
                sink.sendall(piece)
        self._end([source, sink])

    def _end_all(self) -> None:
        with self._lock:
            ending = list(self._open)
        self._end(ending)

    def _end(self, sockets: list[socket.socket]) -> None:
        with self._lock:
            self._open -= set(sockets)
        for one in sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
