"""The end of a server with people on it: they are told, and recordings are stored, within ten seconds."""

from __future__ import annotations

import threading
import time

import requests

from tests.helpers.room_client import TOKEN, ParticipantClient, api, export, make_room, rows
from tests.helpers.serving import Server

MAX_STOP_S = 10.0


def test_a_server_that_is_stopped_tells_everybody_and_ends_in_time_with_all_samples(
    astronaut_jpeg: bytes,
) -> None:
    server = Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN)
    told = threading.Event()
    with server:
        room = make_room(server)
        api(server, "POST", f"/rooms/{room}/recording", {"state": "started"})
        with ParticipantClient(server) as one:
            one.client.on("not_here", lambda said: told.set() if said["code"] == "not_here" else None)
            one.join(room)
            for _ in range(5):
                assert one.send(astronaut_jpeg)["faces"]
            begin_s = time.monotonic()
            server.process.terminate()
            assert told.wait(MAX_STOP_S)
            for path in ("/readyz", "/socket.io/?EIO=4&transport=polling"):
                assert _status(f"{server.url}{path}") in (503, None), f"{path} lets nobody in"
            server.process.wait(60)
        assert time.monotonic() - begin_s < MAX_STOP_S
        assert server.process.returncode == 0
        server.start()
        assert len(rows(export(server, room)["samples.csv"])) == 5


def _status(url: str) -> int | None:
    """The status of an answer, or None where the server has ended."""
    try:
        return requests.get(url, timeout=30).status_code
    except requests.ConnectionError:
        return None
