"""The programs in docs/examples, run as they are against a real server."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import ModuleType

from tests.helpers.host_browser import new_key, signed_in
from tests.helpers.room_client import (
    TOKEN,
    ParticipantClient,
    api,
    export,
    make_room,
    rows,
)
from tests.helpers.serving import PROJECT_ROOT, Server
from tests.helpers.waiting import wait_until

EXAMPLES = PROJECT_ROOT / "docs" / "examples"

MARKERS = 100
INTERVAL_S = 0.02

MAX_MARK_S = 0.005
"""`mark` puts the marker into a queue; the network, and a server that is away, must not show in it."""

BUSY_MACHINE_S = 0.05
"""How much later than its line the program's clock may be read while others compute."""


SEND_TIMEOUT_S = SMILE_TIMEOUT_S = 120.0
"""Generous: they only decide how soon a failure is known."""


def loaded(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def timed(act: Callable[[str], None], label: str) -> tuple[float, float]:
    """When an act was begun, and how long it took."""
    at_s, start_s = time.time(), time.perf_counter()
    act(label)
    return at_s, time.perf_counter() - start_s


def test_the_psychopy_script_loses_no_marker_when_the_server_restarts_and_keeps_their_times() -> None:
    markers = loaded("psychopy_markers")
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN) as server:
        room, key = make_room(server), new_key(signed_in(server), "PsychoPy", "markers")
        mien = markers.MienMarkers(server.url, room, key)
        mien.start_recording()
        mien.wait()
        done, clock_errors_s = [], []
        for number in range(MARKERS):
            done.append(timed(mien.mark, f"Trial {number}"))
            time.sleep(INTERVAL_S)
            clock_errors_s.append(mien.clock_error_s or 0.0)
            if number == MARKERS // 3:
                server.process.kill()
                server.process.wait()
            if number == 2 * MARKERS // 3:
                server.start()
        mien.stop_recording()
        assert mien.wait(SEND_TIMEOUT_S)
        mien.close()
        clock_errors_s.append(mien.clock_error_s)
        found = rows(export(server, room)["markers.csv"])
    assert mien.failed == []
    assert [row["label"] for row in found] == [f"Trial {number}" for number in range(MARKERS)]
    errors_s = [
        datetime.fromisoformat(row["timestamp"]).timestamp() - at_s
        for row, (at_s, _) in zip(found, done, strict=True)
    ]
    known_s = max(clock_errors_s)
    assert sorted(map(abs, errors_s))[MARKERS // 2] < known_s + 0.002, "no worse than the clocks allow"
    assert max(map(abs, errors_s)) < known_s + BUSY_MACHINE_S
    assert sorted(took_s for _, took_s in done)[MARKERS // 2] < MAX_MARK_S
    assert {row["recording"] for row in found} == {"1"}


def test_the_psychopy_script_names_what_the_server_refuses_and_goes_on() -> None:
    markers = loaded("psychopy_markers")
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN) as server:
        room, key = make_room(server), new_key(signed_in(server), "PsychoPy", "markers")
        mien = markers.MienMarkers(server.url, room, key)
        for label in ("first", "x" * 1000, "last"):
            mien.mark(label)
        mien.wait()
        labels = [one["label"] for one in api(server, "GET", f"/rooms/{room}/markers").json()["markers"]]
        mien.close()
        wrong = markers.MienMarkers(server.url, room, key="mien_wrong")
        wrong.start_recording()
        wrong.close()
    assert labels == ["first", "last"]
    assert [label for label, _ in mien.failed] == ["x" * 1000]
    ((action, reason),) = wrong.failed
    assert action == "started" and "Bearer KEY" in reason, "a wrong key stays wrong: nobody waits for it"


def test_the_psychopy_script_ends_without_a_server_and_sends_later_what_it_kept(tmp_path: Path) -> None:
    markers = loaded("psychopy_markers")
    kept = str(tmp_path / "unsent.json")
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN) as server:
        room, key = make_room(server), new_key(signed_in(server), "PsychoPy", "markers")
        mien = markers.MienMarkers(server.url, room, key)
        mien.mark("sent")
        mien.wait()
        server.process.kill()
        server.process.wait()
        at_s, _ = timed(mien.mark, "kept")
        mien.mark("kept too")
        assert mien.wait(timeout_s=0.1) is False
        assert mien.close(timeout_s=0.5, unsent_file=kept) is False
        assert [one["label"] for one in mien.unsent] == ["kept", "kept too"]
        server.start()
        later = markers.MienMarkers(server.url, room, key)
        later.send_file(kept)
        assert later.close() is True
        found = rows(export(server, room)["markers.csv"])
    assert [row["label"] for row in found] == ["sent", "kept", "kept too"]
    sent_s = datetime.fromisoformat(found[1]["timestamp"]).timestamp()
    assert abs(sent_s - at_s) < (mien.clock_error_s or 0.0) + BUSY_MACHINE_S


def test_the_closed_loop_example_follows_a_room_to_its_end(astronaut_jpeg: bytes) -> None:
    """The astronaut smiles: the program says so once, as soon as that has lasted a second."""
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN) as server, ParticipantClient(server) as one:
        room, key = make_room(server), new_key(signed_in(server), "Loop", "rooms:read")
        one.join(room, alias="Eileen")
        command = (sys.executable, str(EXAMPLES / "closed_loop.py"), server.url, room, key)
        api(server, "POST", f"/rooms/{room}/recording", {"state": "started"})
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
            said: list[str] = []
            assert program.stdout is not None
            listener = threading.Thread(target=said.extend, args=(program.stdout,))
            listener.start()
            wait_until(lambda: said or not one.send(astronaut_jpeg), SMILE_TIMEOUT_S)
            for _ in range(3):  # still the same smile
                one.send(astronaut_jpeg)
            api(server, "POST", f"/rooms/{room}/close", {})
            listener.join(SMILE_TIMEOUT_S)
            assert program.wait(SMILE_TIMEOUT_S) == 0
    assert [line.split(" ", 1)[1] for line in said] == ["Eileen smiles\n"]
