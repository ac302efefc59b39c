"""The round trip of one client's frames: 640x480, one moving face, over a real websocket.

The frames go to a real server with its workers; beside the round trip stands the pipeline's own time for the
same frames, as the workers report it, and the ratio of the two.

`python -m tests.bench.bench_round_trip`
"""

from __future__ import annotations

import itertools
import time
from typing import Any

import cv2
import numpy as np
import skimage.data
import socketio

from tests.bench.measure import Timing, print_table
from tests.serving import Server

FRAMES = 300
WARM_UP_FRAMES = 30
LIMIT_MS = 25.0
STAGES = ("decode", "detect", "landmarks", "classify")


def moving_face(count: int) -> list[bytes]:
    """JPEGs of 640x480 pixels in which the astronaut moves along a circle."""
    astronaut = cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR)
    frames = []
    for angle in np.linspace(0, 2 * np.pi, count, endpoint=False):
        shift = np.array([[1, 0, 60 + 50 * np.cos(angle)], [0, 1, 30 * np.sin(angle)]], dtype=np.float32)
        frame = cv2.warpAffine(astronaut, shift, (640, 480), borderMode=cv2.BORDER_REPLICATE)
        frames.append(cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes())
    return frames


def round_trips(url: str) -> tuple[list[float], list[dict[str, Any]]]:
    """The duration of each frame's round trip in milliseconds, and the answers."""
    browser = socketio.Client()
    browser.connect(url, transports=["websocket"])
    durations_ms, answers = [], []
    for seq, jpeg in zip(range(WARM_UP_FRAMES + FRAMES), itertools.cycle(moving_face(30))):
        start_s = time.perf_counter()
        answers.append(browser.call("frame", ({"seq": seq, "captured_ms": 0.0}, jpeg)))
        durations_ms.append(1000 * (time.perf_counter() - start_s))
    browser.disconnect()
    return durations_ms[WARM_UP_FRAMES:], answers[WARM_UP_FRAMES:]


def main() -> None:
    """Measure and print; say whether the limit holds."""
    with Server() as server:
        durations_ms, answers = round_trips(server.url)
    assert all(len(answer["faces"]) == 1 for answer in answers), "a frame was not analysed"
    trip = Timing("round trip", durations_ms)
    pipeline = Timing(
        "the pipeline's own time", [sum(a["timing_ms"][stage] for stage in STAGES) for a in answers]
    )
    stages = [
        Timing(f"  {stage}", [answer["timing_ms"][stage] for answer in answers])
        for stage in ("queue", *STAGES)
    ]
    print_table(f"One client, {FRAMES} frames of 640x480 with one face", [trip, pipeline, *stages])
    print(f"round trip / pipeline = {trip.median_ms / pipeline.median_ms:.2f}")
    print(f"median under {LIMIT_MS:.0f} ms: {'yes' if trip.median_ms < LIMIT_MS else 'NO'}")


if __name__ == "__main__":
    main()
