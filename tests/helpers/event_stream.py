"""A client of a room's stream that takes what comes on a thread of its own."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from typing import Any, NamedTuple, Self

import requests

from tests.helpers.room_client import TIMEOUT_S, TOKEN
from tests.helpers.serving import Server
from tests.helpers.waiting import wait_until


class Sent(NamedTuple):
    """One event as it came."""

    id: str
    name: str
    data: dict[str, Any]


class StreamReader:
    """`with StreamReader(server, room) as reader:` collects `events` until the block or the stream ends."""

    def __init__(self, server: Server, room: str, last_id: str = "", token: str = TOKEN) -> None:
        self._url = f"{server.url}/api/v1/rooms/{room}/stream"
        self._headers = {
            "Authorization": f"Bearer {token}",
            **({"Last-Event-ID": last_id} if last_id else {}),
        }
        self.events: list[Sent] = []
        self.comments = 0
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Self:
        self.response = requests.get(self._url, headers=self._headers, stream=True, timeout=TIMEOUT_S)
        assert self.response.status_code == 200, self.response.text
        self._thread.start()
        wait_until(lambda: self.named("recording"))
        return self

    def __exit__(self, *error: object) -> None:
        with suppress(RuntimeError):  # it has ended
            self.response.raw.shutdown()  # or closing waits for the reading thread, until the next heartbeat
        self.response.close()

    def named(self, name: str) -> list[Sent]:
        """The events of a name so far."""
        return [event for event in self.events if event.name == name]

    def wait_for_end(self) -> None:
        """Wait until the server has ended the stream."""
        self._thread.join(TIMEOUT_S)
        assert not self._thread.is_alive(), "the stream goes on"

    def _read(self) -> None:
        fields: dict[str, str] = {}
        try:
            for line in self.response.iter_lines(chunk_size=1, decode_unicode=True):
                if line.startswith(":"):
                    self.comments += 1
                elif line:
                    name, _, value = line.partition(": ")
                    fields[name] = value
                else:
                    self._take(fields)
                    fields = {}
        except (requests.RequestException, AttributeError, ValueError):
            return  # it was closed, at this end or the other

    def _take(self, fields: dict[str, str]) -> None:
        if "event" in fields:
            self.events.append(Sent(fields["id"], fields["event"], json.loads(fields["data"])))
