"""Markers from Lab Streaming Layer, sent by a real outlet to a real server."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from datetime import datetime
from statistics import median
from typing import Any

import pytest

from tests.helpers.room_client import TOKEN, api, export, make_room, rows
from tests.helpers.serving import Server
from tests.helpers.waiting import wait_until

pylsl = pytest.importorskip("pylsl")

MARKERS = 100
INTERVAL_S = 0.02

CONNECT_TIMEOUT_S = 60.0

MAX_ERROR_MS = 5.0


def outlet(name: str, source_id: str) -> Any:
    info = pylsl.StreamInfo(name, "Markers", 1, pylsl.IRREGULAR_RATE, "string", source_id)
    return pylsl.StreamOutlet(info)


def wall_time_ms(lsl_s: float) -> float:
    """A time on LSL's clock as this machine's wall clock, from the fastest of some readings of both."""
    readings = []
    for _ in range(20):
        before_s, wall_s, after_s = pylsl.local_clock(), time.time(), pylsl.local_clock()
        readings.append((after_s - before_s, wall_s - (before_s + after_s) / 2))
    return float(1000 * (lsl_s + min(readings)[1]))


def labels(server: Server, room: str) -> Callable[[], list[str]]:
    return lambda: [one["label"] for one in api(server, "GET", f"/rooms/{room}/markers").json()["markers"]]


def test_a_hundred_markers_of_a_stream_are_stored_in_order_at_their_times() -> None:
    """Only the room that names the stream gets them; a second program may take the first's place."""
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN, MIEN_LSL="1") as server:
        room, other = make_room(server, lsl_markers="Trials"), make_room(server, lsl_markers="Other")
        stream = outlet("Trials", "first")
        assert stream.wait_for_consumers(CONNECT_TIMEOUT_S)
        sent = []
        for number in range(MARKERS):
            lsl_s = pylsl.local_clock()
            stream.push_sample([f"Trial {number}"], lsl_s)
            sent.append((lsl_s, wall_time_ms(lsl_s)))
            time.sleep(INTERVAL_S)
        wait_until(lambda: len(labels(server, room)()) == MARKERS)
        del stream
        again = outlet("Trials", "second")
        assert again.wait_for_consumers(CONNECT_TIMEOUT_S)
        again.push_sample(["back"])
        wait_until(lambda: labels(server, room)()[-1] == "back")
        found = rows(export(server, room)["markers.csv"])
        assert labels(server, other)() == []
    assert [row["label"] for row in found] == [*(f"Trial {number}" for number in range(MARKERS)), "back"]
    assert {row["source"] for row in found} == {"lsl"}
    errors_ms = []
    for row, (lsl_s, at_ms) in zip(found, sent, strict=False):
        stored_ms = 1000 * datetime.fromisoformat(row["timestamp"]).timestamp()
        errors_ms.append(max(abs(1000 * (float(row["lsl_time"]) - lsl_s)), abs(stored_ms - at_ms)))
    assert median(errors_ms) < MAX_ERROR_MS
    assert max(errors_ms) < 100 * MAX_ERROR_MS, "LSL compares clocks badly while the machine is busy"


def test_markers_that_come_while_the_database_is_away_are_set_later() -> None:
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN, MIEN_LSL="1") as server:
        room = make_room(server, lsl_markers="Killed")
        stream = outlet("Killed", "killed")
        assert stream.wait_for_consumers(CONNECT_TIMEOUT_S)

        os.kill(server.store_pid(), signal.SIGKILL)
        for number in range(10):
            stream.push_sample([f"Trial {number}"])
        wait_until(lambda: api(server, "GET", f"/rooms/{room}/markers").status_code == 200)
        wait_until(lambda: len(labels(server, room)()) == 10)
        assert labels(server, room)() == [f"Trial {number}" for number in range(10)]
