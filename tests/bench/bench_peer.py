"""The package fer on the same images, on the same cores, in the same run.

It reads images without any server and with its default detector, OpenCV's cascade (its other one, MTCNN, is
slower): in one process that has all cores, and in one process a core. The server stands against the better.

`python -m tests.bench.bench_peer`, after `make bench-peer` has made .venv-peer.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench import bench_peer_video
from tests.bench.bench_load import frames_per_s, put_load
from tests.bench.report import Goal, Row, print_goals, print_rows, write_json
from tests.helpers.load_client import Plan
from tests.helpers.scenes import moving_faces
from tests.helpers.serving import PROJECT_ROOT, Server

PYTHON = PROJECT_ROOT / ".venv-peer" / "bin" / "python"
SCRIPT = Path(__file__).parent / "peer_fer.py"

SECONDS = 6.0
TIMES_FER = 15.0


def peer_row(folder: Path, processes: int) -> Row:
    """fer in so many processes at once, the cores shared between them."""
    threads = max(1, (os.cpu_count() or 1) // processes)
    command = [str(PYTHON), "-W", "ignore", str(SCRIPT), str(folder), str(SECONDS), str(threads)]
    started = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for _ in range(processes)
    ]
    results = [json.loads(process.communicate()[0].splitlines()[-1]) for process in started]
    return {
        "what": "fer",
        "processes": processes,
        "frames/s": sum(result["frames"] / result["seconds"] for result in results),
        "faces": sum(result["faces"] for result in results) / sum(result["frames"] for result in results),
    }


def our_row(images: Sequence[bytes]) -> Row:
    """The server in closed loop with eight clients."""
    with Server() as server:
        load = put_load(Plan(server.port, 8, SECONDS), images)
        processes = 1 + len(server.worker_pids())
    return {
        "what": "this server, 8 clients",
        "processes": processes,
        "frames/s": frames_per_s(load),
        "faces": load.faces / sum(load.analysed),
    }


def main() -> list[Goal]:
    """Measure and print; nothing where fer's environment is missing."""
    if not PYTHON.exists():
        print("\nfer is not measured: `make bench-peer` makes its environment first.")
        return []
    images = moving_faces()
    with TemporaryDirectory() as folder:
        for number, image in enumerate(images):
            Path(folder, f"{number:03}.jpg").write_bytes(image)
        peers = [peer_row(Path(folder), processes) for processes in sorted({1, os.cpu_count() or 1})]
    ours = our_row(images)
    rows = [*peers, ours]
    print_rows("fer and this server, 640x480 with one face", rows)
    write_json("peer", rows)
    ratio = _rate(ours) / max(map(_rate, peers))
    return [Goal("times the best of fer in frames/s", ratio, TIMES_FER)]


def _rate(row: Row) -> float:
    return float(str(row["frames/s"]))


if __name__ == "__main__":
    print_goals([*main(), *bench_peer_video.main()])
