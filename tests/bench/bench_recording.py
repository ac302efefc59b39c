"""What recording costs: `python -m tests.bench.bench_recording SECONDS [DATABASE_URL]`.

Thirty simulated participants send five frames a second, in turn with and without recording on one server.
Prints the median and 95th percentile of the round trip for both, their ratio, and whether every analysed
frame was stored.
"""

from __future__ import annotations

import statistics
import sys
import threading
import time

import cv2
import skimage.data

from tests.serving import Server
from tests.test_rooms_server import TOKEN, api, export, make_room, person, rows

PARTICIPANTS = 30
INTERVAL_S = 0.2
TURNS = 4


def send(one: person, jpeg: bytes, until_s: float, trips_ms: list[float]) -> None:
    due_s = time.time()
    while (now_s := time.time()) < until_s:
        if now_s < due_s:
            time.sleep(due_s - now_s)
        due_s += INTERVAL_S
        start_s = time.perf_counter()
        if "faces" in one.send(jpeg):
            trips_ms.append(1000 * (time.perf_counter() - start_s))


def turn(people: list[person], jpeg: bytes, seconds: float) -> list[float]:
    """Round trips of all analysed frames of one turn."""
    trips_ms: list[float] = []
    threads = [
        threading.Thread(target=send, args=(one, jpeg, time.time() + seconds, trips_ms)) for one in people
    ]
    for thread in threads:
        thread.start()
        time.sleep(INTERVAL_S / PARTICIPANTS)
    for thread in threads:
        thread.join()
    return trips_ms


def main(seconds: float, **settings: str) -> None:
    """Measure and print."""
    picture = cv2.resize(skimage.data.astronaut(), (320, 320))[:, :, ::-1]
    jpeg = bytes(cv2.imencode(".jpg", picture)[1])
    trips: dict[bool, list[float]] = {True: [], False: []}
    with Server(MIEN_HOST_TOKEN=TOKEN, **settings) as server:
        room = make_room(server)
        people = [person(server).__enter__() for _ in range(PARTICIPANTS)]
        for one in people:
            one.join(room)
        turn(people, jpeg, 3.0)
        for number in range(TURNS):
            recording = number % 2 == 1
            state = "started" if recording else "stopped"
            api(server, "POST", f"/rooms/{room}/recording", {"state": state})
            trips[recording] += turn(people, jpeg, seconds / TURNS)
        api(server, "POST", f"/rooms/{room}/recording", {"state": "stopped"})
        time.sleep(1)
        stored = len(rows(export(server, room)["samples.csv"]))
        for one in people:
            one.__exit__()
    medians = {}
    for recording, trips_ms in trips.items():
        medians[recording] = statistics.median(trips_ms)
        p95 = statistics.quantiles(trips_ms, n=20)[-1]
        found = f"{medians[recording]:.1f} ms median, {p95:.1f} ms p95, {len(trips_ms)} frames"
        print(f"{'with' if recording else 'without'} recording: {found}")
    print(f"ratio {medians[True] / medians[False]:.2f}; stored {stored} of {len(trips[True])}")


if __name__ == "__main__":
    main(float(sys.argv[1]), **({"MIEN_DATABASE_URL": sys.argv[2]} if len(sys.argv) > 2 else {}))
