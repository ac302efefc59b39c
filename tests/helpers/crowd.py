"""Participants of a room who send a image again and again, for boards with many tiles."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from types import TracebackType

from socketio.exceptions import SocketIOError

from tests.helpers.room_client import ParticipantClient
from tests.helpers.serving import Server


class Crowd:
    """`with Crowd(server, room, 30, [jpeg], frames_per_s=1.5):` fills a room until the block ends.

    The images go round: the second person sends the second one.
    """

    def __init__(
        self, server: Server, room: str, count: int, images: Sequence[bytes], frames_per_s: float
    ) -> None:
        self._server, self._room, self._images = server, room, images
        self._interval_s = 1 / frames_per_s
        self._stopping = threading.Event()
        self.membership = [ParticipantClient(server) for _ in range(count)]
        self._threads = [
            threading.Thread(target=self._send, args=(number,), daemon=True) for number in range(count)
        ]

    def __enter__(self) -> Crowd:
        for one in self.membership:
            one.__enter__()
            assert "participant" in one.join(self._room, alias="")
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        for thread, one in zip(self._threads, self.membership, strict=True):
            thread.join(10)
            one.__exit__()

    def _send(self, number: int) -> None:
        one, image = self.membership[number], self._images[number % len(self._images)]
        time.sleep(self._interval_s * number / len(self.membership))
        while not self._stopping.wait(self._interval_s):
            try:
                one.send(image)
            except SocketIOError:
                return  # its connection is gone
