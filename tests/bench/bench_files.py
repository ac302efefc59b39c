"""What the analysis of files takes, on two threads: `make bench-files`.

A made video of 60 seconds with every frame, and group photographs of 12 and 48 megapixels. Beside the time on
the clock there is the processor time, which says more on a busy machine. `python -m tests.bench.bench_files
SECONDS` makes the video shorter.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2

from tests.bench.report import Goal, Row, print_goals, print_rows, write_goals, write_json
from tests.helpers.group_photos import MEGAPIXELS_12, MEGAPIXELS_48, group_photo
from tests.helpers.made_videos import Visit, constant_times, write_video
from webapp.analysis import FileEngine

SECONDS = 60
THREADS = 2
FACES = (40, 40, 40, 60, 90, 140, 220, 340)
REPEATS = 3


def timed(name: str, work: Callable[[], int]) -> Row:
    """How long a work takes that returns the number of its frames or faces."""
    start_s, processor_s = time.perf_counter(), time.process_time()
    count = work()
    return {
        "what": name,
        "found": count,
        "seconds": time.perf_counter() - start_s,
        "processor s": time.process_time() - processor_s,
    }


def measure_video(engine: FileEngine, folder: Path, seconds: float) -> Row:
    """Every frame of a video with up to two people."""
    visits = (
        Visit("astronaut", 0.05 * seconds, 0.7 * seconds, left=True),
        Visit("hopper", 0.2 * seconds, 0.9 * seconds, left=False),
    )
    video = write_video(folder / "video.mp4", constant_times(seconds), visits)
    return timed("video", lambda: sum(1 for _ in engine.analyze_video(video)))


def measure_photo(engine: FileEngine, folder: Path, name: str, size: tuple[int, int]) -> Row:
    """The fastest of some runs over a photograph; the first loads detectors."""
    path = folder / "photo.jpg"
    cv2.imwrite(str(path), group_photo(size, FACES)[0])
    rows = [timed(name, lambda: len(engine.analyze_image(path).faces)) for _ in range(REPEATS)]
    return min(rows, key=lambda row: float(str(row["seconds"])))


def main(seconds: float) -> None:
    """Measure, print, and keep the figures."""
    with tempfile.TemporaryDirectory() as name, FileEngine(threads=THREADS) as engine:
        folder = Path(name)
        rows = [
            measure_video(engine, folder, seconds),
            measure_photo(engine, folder, "12 megapixels", MEGAPIXELS_12),
            measure_photo(engine, folder, "48 megapixels", MEGAPIXELS_48),
        ]
    took = {str(row["what"]): float(str(row["seconds"])) for row in rows}
    goals = [Goal("Seconds for a second of video", took["video"] / seconds, 0.5, at_most=True)]
    goals += [
        Goal(f"Seconds for {kind}", took[kind], 2, at_most=True)
        for kind in ("12 megapixels", "48 megapixels")
    ]
    print_rows("Files", rows)
    print_goals(goals)
    write_json("files", rows)
    write_goals("files", goals)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS)
