"""Participants and boards that come back as our pages do, whatever became of their connection."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from typing import Self

from socketio.exceptions import SocketIOError

from tests.helpers.room_client import TOKEN, Answer, SocketClient
from webapp.export.tables import iso

RECONNECT_PAUSE_S = 0.4
CONNECT_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 8.0
"""Who gets no answer for so long connects again."""


class Returning(ABC):
    """Keeps a connection that names its room, from the start of the block to its end.

    `here` says whether it is connected and has joined or subscribed; `away_s` has how long it was not, each
    time after the first.
    """

    def __init__(self, url: str, room: str, headers: dict[str, str] | None = None) -> None:
        self._url, self.room, self._headers = f"{url}/?room={room}", room, headers or {}
        self._stopping = threading.Event()
        self._gone = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._left_s: float | None = None
        self.here = False
        self.away_s: list[float] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopping.set()
        self._thread.join(60)

    def _run(self) -> None:
        while not self._stopping.is_set():
            client = SocketClient(CONNECT_TIMEOUT_S)
            self._gone.clear()
            client.on("disconnect", lambda *_: self._gone.set())
            client.on("not_here", lambda *_: self._gone.set())
            self._listen(client)
            with suppress(SocketIOError, OSError):
                client.connect(self._url, headers=self._headers)
                if self._arrive(client):
                    self._note_arrival()
                    self._stay(client)
            if self.here:
                self.here, self._left_s = False, time.monotonic()
            with suppress(SocketIOError, OSError):
                client.disconnect()
            self._stopping.wait(RECONNECT_PAUSE_S)

    def _note_arrival(self) -> None:
        if self._left_s is not None:
            self.away_s.append(time.monotonic() - self._left_s)
        self.here = True

    def _listen(self, client: SocketClient) -> None:
        """Take events."""
        return

    @abstractmethod
    def _arrive(self, client: SocketClient) -> bool:
        """What is said first; whether it was accepted."""

    def _stay(self, client: SocketClient) -> None:
        """What is done until the connection is lost or the block ends."""
        while not (self._gone.is_set() or self._stopping.wait(0.1)):
            pass


class ReturningParticipant(Returning):
    """Sends frames to a room.

    `identities` are the participants that the server took them for, one for each time they joined, `results`
    the capture times of frames that were answered with a result, in milliseconds.
    """

    def __init__(self, url: str, room: str, jpeg: bytes, frames_per_s: float) -> None:
        super().__init__(url, room)
        self._jpeg, self._interval_s = jpeg, 1 / frames_per_s
        self._resume: str | None = None
        self.identities: list[str] = []
        self.results: list[float] = []
        self.problems: Counter[str] = Counter()

    def _arrive(self, client: SocketClient) -> bool:
        asked = {"room": self.room, "alias": "", "consent": True, "resume": self._resume}
        joined = client.call("join", asked, timeout=ANSWER_TIMEOUT_S)
        if "problem" in joined:
            self.problems[joined["problem"]["code"]] += 1
            return False
        self._resume = joined["resume"]
        self.identities.append(joined["participant"])
        return True

    def _stay(self, client: SocketClient) -> None:
        while not (self._gone.is_set() or self._stopping.wait(self._interval_s)):
            captured_ms = round(1000 * time.time(), 1)
            meta = {"seq": 1, "captured_ms": captured_ms}
            answer = client.call("frame", (meta, self._jpeg), timeout=ANSWER_TIMEOUT_S)
            if "problem" in answer:
                self.problems[answer["problem"]["code"]] += 1
            else:
                self.results.append(captured_ms)


class ReturningBoard(Returning):
    """Watches a room.

    `stored` is the most samples that it was told to be stored, `deletions` how often it was told that the
    room was deleted, which none of these rooms is.
    """

    def __init__(self, url: str, room: str) -> None:
        super().__init__(url, room, {"Authorization": f"Bearer {TOKEN}"})
        self.stored = self.waiting = self.lost = self.deletions = 0
        self.warnings: Counter[str] = Counter()

    def _listen(self, client: SocketClient) -> None:
        client.on("board", self._take)

    def _arrive(self, client: SocketClient) -> bool:
        answer = client.call("subscribe", {"room": self.room}, timeout=ANSWER_TIMEOUT_S)
        return bool(answer == {"watching": self.room})

    def _take(self, summary: Answer) -> None:
        if summary["room"]["state"] == "deleted":
            self.deletions += 1
            return
        recording = summary["recording"]
        self.stored = max(self.stored, recording["stored"])
        self.lost = max(self.lost, recording["lost"])
        self.waiting = recording["waiting"]
        self.warnings.update(one["warning"] or "none" for one in summary["participants"])


def missing_of(people: Iterable[ReturningParticipant], samples: Iterable[dict[str, str]]) -> int:
    """How many of their frames with a result the rows of an export lack."""
    stored = {(row["participant"], row["captured"]) for row in samples}
    return sum((one.identities[0], str(iso(at_ms))) not in stored for one in people for at_ms in one.results)
