"""A host's dashboard during a fault: what it was told to be stored, and whether it went on."""

from __future__ import annotations

import time
from typing import Self

from tests.helpers.room_client import TIMEOUT_S, TOKEN, Answer, SocketClient
from tests.helpers.serving import Server


class Board:
    """`with Board(server, room) as board:` watches a room until the block ends.

    `stored` and `lost` are the most samples that it was told of: stored ones are *acknowledged*. `problems`
    are the reasons that it was given for samples that wait, `closed` counts the ends of its connection, and
    `longest_gap_s` is the longest time without one of the `updates`.
    """

    def __init__(self, server: Server, room: str) -> None:
        self._url, self._room = server.url, room
        self._client = SocketClient()
        self._client.on("board", self._take)
        self._client.on("disconnect", self._end)
        self._leaving = False
        self._updated_s = time.monotonic()
        self.stored = self.lost = self.waiting = self.closed = self.updates = 0
        self.problem: str | None = None
        self.problems: set[str] = set()
        self.longest_gap_s = 0.0

    def __enter__(self) -> Self:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        self._client.connect(self._url, headers=headers)
        answer = self._client.call("subscribe", {"room": self._room}, timeout=TIMEOUT_S)
        assert answer == {"watching": self._room}, answer
        self._updated_s = time.monotonic()
        return self

    def __exit__(self, *error: object) -> None:
        self._leaving = True
        self._client.disconnect()

    def _take(self, summary: Answer) -> None:
        now_s = time.monotonic()
        self.longest_gap_s = max(self.longest_gap_s, now_s - self._updated_s)
        self._updated_s = now_s
        self.updates += 1
        recording = summary["recording"]
        self.stored = max(self.stored, recording["stored"])
        self.lost = max(self.lost, recording["lost"])
        self.waiting, self.problem = recording["waiting"], recording["problem"]
        if self.problem:
            self.problems.add(self.problem)

    def _end(self, *reason: object) -> None:
        if not self._leaving:
            self.closed += 1
