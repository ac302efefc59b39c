"""What live clients notice of a video job: `make bench-jobs`, in some 3 minutes.

Twenty clients send five frames a second each, in turns without and with a job that analyzes every frame of a
video. What counts is the ratio of the 95th percentiles of the round trip, in one run on one server.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from pathlib import Path

from tests.bench.bench_load import p95_ms, put_load, row, watched
from tests.bench.report import Goal, print_goals, print_rows, write_goals, write_json
from tests.helpers.job_client import JobClient
from tests.helpers.load_client import Load, Plan
from tests.helpers.made_videos import Visit, constant_times, write_video
from tests.helpers.scenes import moving_faces
from tests.helpers.serving import Server

CLIENTS, RATE_PER_S = 20, 5.0
TURNS = 3
TURN_S = 12.0

VIDEO_S = 600.0
"""Longer than a turn takes."""

MAX_RATIO = 1.2


def made_video(folder: Path) -> bytes:
    """A long video with two people, at a low rate so that it is soon written."""
    visits = (
        Visit("astronaut", 0, VIDEO_S, left=True),
        Visit("hopper", 0, VIDEO_S, left=False),
    )
    return write_video(folder / "video.mp4", constant_times(VIDEO_S, rate=5), visits).read_bytes()


def main() -> None:
    """Measure, print, and keep the figures."""
    frames = moving_faces()
    with tempfile.TemporaryDirectory() as name, Server() as server:
        video = made_video(Path(name))
        client, groups = JobClient(server), watched(server)
        without: list[Load] = []
        beside: list[Load] = []
        for _ in range(TURNS):
            plan = Plan(server.port, CLIENTS, TURN_S, RATE_PER_S, watched=groups)
            without.append(put_load(plan, frames))
            job = client.make("video.mp4", video)
            client.wait_until_running(job)
            with_jobs = groups | {"jobs": tuple(server.job_pids())}
            beside.append(put_load(Plan(server.port, CLIENTS, TURN_S, RATE_PER_S, watched=with_jobs), frames))
            assert client.job(job)["state"] == "running", "the video is too short for this machine"
            client.delete(job)
    rows = [{"job": "no", "jobs cores": 0.0, **row(load)} for load in without]
    rows += [{"job": "yes", **row(load)} for load in beside]
    ratio = statistics.median(map(p95_ms, beside)) / statistics.median(map(p95_ms, without))
    goals = [Goal("95th percentile beside a video job over that without", ratio, MAX_RATIO, at_most=True)]
    print_rows(f"20 live clients; load of the machine {os.getloadavg()[0]:.1f}", rows)
    print_goals(goals)
    write_json("jobs", rows)
    write_goals("jobs", goals)


if __name__ == "__main__":
    main()
