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

LOST_AT_MOST_S = 1.0


def send_for(one: ParticipantClient, jpeg: bytes, seconds: float) -> list[float]:
    """When the frames that were answered in this time had been sent."""
    end_s, sent_s = time.time() + seconds, []
    while time.time() < end_s:
        sent_s.append(time.time())
        assert one.send(jpeg)["faces"]
    return sent_s


def test_a_killed_server_loses_at_most_a_second_and_goes_on(astronaut_jpeg: bytes) -> None:
    server = Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN)
    with server:
        room = make_room(server)
        one = ParticipantClient(server)
        with one:
            joined = one.join(room)
            api(server, "POST", f"/rooms/{room}/recording", {"state": "started"})
            before_s = send_for(one, astronaut_jpeg, 3.0)
            killed_s = time.time()
            os.kill(server.process.pid, signal.SIGKILL)
            server.process.wait(10)
        server.start()
        with ParticipantClient(server) as again:
            back = again.join(room, resume=joined["resume"])
            assert back["participant"] == joined["participant"]
            assert back["recording"] is True, "the recording goes on by itself"
            after_s = send_for(again, astronaut_jpeg, 1.0)
        safe = sum(at_s < killed_s - LOST_AT_MOST_S for at_s in before_s)
        wait_until_stored(server, room, safe + len(after_s))
        samples = rows(export(server, room)["samples.csv"])
        frames = [int(row["frame"]) for row in samples]
        assert len(set(frames)) == len(frames), "none twice"
        assert frames == list(range(len(frames))), "numbers go on where they stopped"
        assert {row["participant"] for row in samples} == {joined["participant"]}
        assert safe + len(after_s) <= len(samples) <= len(before_s) + len(after_s)


def test_a_killed_store_costs_no_sample_and_no_frame(astronaut_jpeg: bytes) -> None:
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN) as server:
        room = make_room(server)
        with ParticipantClient(server) as one:
            one.join(room)
            api(server, "POST", f"/rooms/{room}/recording", {"state": "started"})
            sent = len(send_for(one, astronaut_jpeg, 1.0))
            os.kill(server.store_pid(), signal.SIGKILL)
            sent += len(send_for(one, astronaut_jpeg, 1.0))
            wait_until_stored(server, room, sent)
        samples = rows(export(server, room)["samples.csv"])
        assert [int(row["frame"]) for row in samples] == list(range(sent))
