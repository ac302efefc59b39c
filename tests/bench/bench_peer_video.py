"""fer's own video analysis and this project's, on the same video and cores: a part of `make bench-peer`.

fer reads the video frame by frame and keeps one row for each frame with a face. On a busy machine the ratio
of the processor times says more than that of the times on the clock, so both are given. This project's own
analysis, which takes seconds where fer takes a minute, runs before, between and after fer's, and its median
counts: what else a machine does changes it by a tenth.

`python -m tests.bench.bench_peer_video SECONDS` takes only so much of the minute.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.report import Goal, Row, print_goals, print_rows, write_json
from tests.helpers.made_videos import constant_times, write_video
from tests.helpers.serving import PROJECT_ROOT
from tests.helpers.walking_faces import MINUTE, painted
from webapp.analysis import FileEngine

PYTHON = PROJECT_ROOT / ".venv-peer" / "bin" / "python"
SCRIPT = Path(__file__).parent / "peer_fer_video.py"

SECONDS = 60.0
THREADS = 2
WARM_UP_EVERY = 30
RUNS = 3
MAX_SECONDS_PER_SECOND = 0.5
TIMES_FER = 10.0


def peer_row(video: Path, mode: str) -> Row:
    """fer, which writes what it sees ("save"), or does not ("plain")."""
    command = [str(PYTHON), "-W", "ignore", str(SCRIPT), str(video), str(os.cpu_count() or 1), mode]
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    return {"what": f"fer, {mode}", **json.loads(run.stdout.splitlines()[-1])}


def our_rows(engine: FileEngine, video: Path) -> list[Row]:
    """Every frame, several times."""
    rows: list[Row] = []
    for _ in range(RUNS):
        start_s, processor_s = time.perf_counter(), time.process_time()
        frames = sum(bool(frame.faces) for frame in engine.analyze_video(video))
        seconds, processor_s = time.perf_counter() - start_s, time.process_time() - processor_s
        rows.append({"what": "mien", "frames": frames, "seconds": seconds, "processor s": processor_s})
    return rows


def median(rows: list[Row]) -> Row:
    """The rows as one."""
    middle = {kind: statistics.median(_of(row, kind) for row in rows) for kind in ("seconds", "processor s")}
    return {**rows[0], **middle}


def main(seconds: float = SECONDS) -> list[Goal]:
    """Measure and print; nothing where fer's environment is missing."""
    if not PYTHON.exists():
        print("\nfer is not measured: `make bench-peer` makes its environment first.")
        return []
    with TemporaryDirectory() as folder:
        paint = partial(painted, walkers=MINUTE)
        video = write_video(Path(folder, "minute.mp4"), constant_times(seconds), paint=paint)
        peers, runs = measured(video)
    ours = median(runs)
    rows = [*runs, *peers]
    print_rows(f"Video of {seconds:g} s, 640x480 at 30 frames/s, up to two people; frames with faces", rows)
    write_json("peer-video", rows)
    ratios = [
        Goal(f"times {peer['what']}: {kind}", _of(peer, kind) / _of(ours, kind), TIMES_FER)
        for peer in peers
        for kind in ("seconds", "processor s")
    ]
    per_second = _of(ours, "seconds") / seconds
    return [Goal("seconds for a second of video", per_second, MAX_SECONDS_PER_SECOND, at_most=True), *ratios]


def measured(video: Path) -> tuple[list[Row], list[Row]]:
    """fer's rows and this project's, in turn; the models are loaded before, as fer's."""
    with FileEngine(threads=THREADS) as engine:
        for _ in engine.analyze_video(video, every=WARM_UP_EVERY):
            pass
        runs, peers = our_rows(engine, video), []
        for mode in ("save", "plain"):
            peers.append(peer_row(video, mode))
            runs += our_rows(engine, video)
        return peers, runs


def _of(row: Row, kind: str) -> float:
    return float(str(row[kind]))


if __name__ == "__main__":
    print_goals(main(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS))
