"""A recording outlives the server: killed in the middle, it goes on under the same participants."""

from __future__ import annotations

import os
import signal
import time

from tests.helpers.room_client import (
    TOKEN,
    ParticipantClient,
    api,
    export,
    make_room,
    rows,
    wait_until_stored,
)
from tests.helpers.serving import Server


def send_for(one: ParticipantClient, jpeg: bytes, seconds: float) -> int:
    """How many frames were answered in this time."""
    end_s, sent = time.time() + seconds, 0
    while time.time() < end_s:
        assert one.send(jpeg)["faces"]
        sent += 1
    return sent


def test_a_killed_server_loses_nothing_that_it_called_stored_and_goes_on(astronaut_jpeg: bytes) -> None:
    server = Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN)
    with server:
        room = make_room(server)
        one = ParticipantClient(server)
        with one:
            joined = one.join(room)
            api(server, "POST", f"/rooms/{room}/recording", {"state": "started"})
            before = send_for(one, astronaut_jpeg, 2.0)
            stored = wait_until_stored(server, room, 1)["samples"]["stored"]
            before += send_for(one, astronaut_jpeg, 0.2)
            os.kill(server.process.pid, signal.SIGKILL)
            server.process.wait(10)
        server.start()
        with ParticipantClient(server) as again:
            back = again.join(room, resume=joined["resume"])
            assert back["participant"] == joined["participant"]
            assert back["recording"] is True, "the recording goes on by itself"
            after = send_for(again, astronaut_jpeg, 1.0)
        wait_until_stored(server, room, stored + after)
        samples = rows(export(server, room)["samples.csv"])
        frames = [int(row["frame"]) for row in samples]
        assert len(set(frames)) == len(frames), "none twice"
        assert frames == list(range(len(frames))), "numbers go on where they stopped"
        assert {row["participant"] for row in samples} == {joined["participant"]}
        assert stored + after <= len(samples) <= before + after


def test_a_killed_store_costs_no_sample_and_no_frame(astronaut_jpeg: bytes) -> None:
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN) as server:
        room = make_room(server)
        with ParticipantClient(server) as one:
            one.join(room)
            api(server, "POST", f"/rooms/{room}/recording", {"state": "started"})
            sent = send_for(one, astronaut_jpeg, 1.0)
            os.kill(server.store_pid(), signal.SIGKILL)
            sent += send_for(one, astronaut_jpeg, 1.0)
            wait_until_stored(server, room, sent)
        samples = rows(export(server, room)["samples.csv"])
        assert [int(row["frame"]) for row in samples] == list(range(sent))
