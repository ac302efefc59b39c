"""Clients of a room on a real server: the HTTP API of hosts, and a participant's connection."""

from __future__ import annotations

import csv
import io
import time
import zipfile
from typing import Any, Self

import requests
import socketio

from tests.helpers.serving import Server
from tests.helpers.waiting import wait_until

TOKEN = "a-long-token-for-tests"
TIMEOUT_S = 120
"""Generous: it only decides how soon a failure is known."""

CLOCK_ERROR_S = 0.5
"""On a busy machine a frame may seem to be this much older than it is, and so older than the recording."""

CLOCK_QUESTIONS = 2

GIVEN_UP = ("busy", "unavailable")
"""What a frame that a busy machine did not get around to is answered with."""
"""The server asks a new connection's clock at once and again soon after; the fastest answer counts."""

Answer = dict[str, Any]


class SocketClient(socketio.Client):  # type: ignore[misc]  # python-socketio is untyped
    """A Socket.IO client that speaks over a websocket, as browsers do, and does not come back by itself.

    It waits for a busy server as long as requests do; by itself it would give up after a second.
    """

    def __init__(self, timeout_s: float = TIMEOUT_S) -> None:
        super().__init__(reconnection=False, request_timeout=timeout_s)
        self._timeout_s = timeout_s

    def connect(self, url: str, **options: Any) -> None:
        """Connect to a server and its namespace."""
        super().connect(url, transports=["websocket"], wait_timeout=self._timeout_s, **options)

    def _handle_eio_disconnect(self, reason: str) -> None:
        """Close the socket, which the library leaves open where a killed server reset it."""
        super()._handle_eio_disconnect(reason)
        if reason == self.reason.TRANSPORT_ERROR:
            self.eio.ws.shutdown()


def api(server: Server, method: str, path: str, body: object = None, token: str = TOKEN) -> requests.Response:
    """A request to /api/v1, with the host token unless told otherwise."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return requests.request(
        method, f"{server.url}/api/v1{path}", json=body, headers=headers, timeout=TIMEOUT_S
    )


def make_room(server: Server, **settings: object) -> str:
    """Create a room; its code."""
    body = {"name": "Test room", "information": "What this is.", "settings": settings}
    answer = api(server, "POST", "/rooms", body)
    assert answer.status_code == 201
    code: str = answer.json()["code"]
    assert answer.json()["join_url"] == f"{server.url}/r/{code}"
    return code


def make_room_in_two_languages(server: Server) -> str:
    """Create a room with an English text and its German translation; its code."""
    body = {
        "name": "Study",
        "information": "What this is.",
        "information_translations": {"de": "Was das ist."},
        "settings": {"language": "en"},
    }
    code: str = api(server, "POST", "/rooms", body).json()["code"]
    return code


class ParticipantClient:
    """A participant's connection, which answers the server's questions about its clock.

    with ParticipantClient(server) as one:
        one.join(room)
        one.send(jpeg)

    With `room` the connection names its room, as pages do, so that nginx finds the room's node.
    """

    def __init__(self, server: Server, clock_ahead_ms: float = 0.0, room: str = "") -> None:
        self._server = server
        self._query = f"?room={room}" if room else ""
        self.client = SocketClient()
        self.clock_ahead_ms = clock_ahead_ms
        self.clock_questions = 0
        self.parted: list[Answer] = []
        self.client.on("clock", self._tell_clock)
        self.client.on("parted", self.parted.append)

    def __enter__(self) -> Self:
        self.client.connect(f"{self._server.url}/{self._query}")
        return self

    def __exit__(self, *error: object) -> None:
        self.client.disconnect()

    def ask(self, event: str, data: object) -> Answer:
        """Emit an event; the server's acknowledgement."""
        answer: Answer = self.client.call(event, data, timeout=TIMEOUT_S)
        return answer

    def join(self, room: str, **given: object) -> Answer:
        """Join a room under the alias "A", with consent, unless told otherwise."""
        return self.ask("join", {"room": room, "alias": "A", "consent": True, **given})

    def send(self, jpeg: bytes, **meta: object) -> Answer:
        """Send a frame that was captured just now; its result or problem.

        One that a busy machine did not get around to is sent again: nothing is kept of it.
        """
        end_s = time.monotonic() + TIMEOUT_S
        while True:
            answer = self.ask("frame", ({"seq": 1, "captured_ms": self._now_ms(), **meta}, jpeg))
            if answer.get("problem", {}).get("code") not in GIVEN_UP or time.monotonic() > end_s:
                return answer

    def wait_for_clock(self) -> None:
        """Wait until the server has measured this connection's clock and had time to use what it measured."""
        wait_until(lambda: self.clock_questions >= CLOCK_QUESTIONS)

    def _tell_clock(self) -> float:
        self.clock_questions += 1
        return self._now_ms()

    def _now_ms(self) -> float:
        return 1000 * time.time() + self.clock_ahead_ms


def wait_until_stored(server: Server, code: str, samples: int) -> Answer:
    """Wait until a room has so many samples in its database; what the API says of the room then."""
    room: Answer = {}

    def stored() -> bool:
        room.update(api(server, "GET", f"/rooms/{code}").json())
        return bool(room["samples"]["stored"] >= samples)

    wait_until(stored)
    return room


def export(server: Server, code: str, query: str = "") -> dict[str, bytes]:
    """The files of a room's export."""
    answer = api(server, "GET", f"/rooms/{code}/export.zip{query}")
    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def rows(text: bytes) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    return list(csv.DictReader(io.StringIO(text.decode())))


def code_of(answer: Answer) -> str:
    """The code of a problem."""
    code: str = answer["problem"]["code"]
    return code
