"""What two nodes behind nginx carry against one node, and what nginx costs: `make bench-cluster`, 3 minutes.

Three ways to the same number of workers take turns, so that all of them meet the machine in the same states:
one node by itself, the same node behind nginx, and two nodes behind nginx with half of the workers each. The
median of the ratios within each round counts. `python -m tests.bench.bench_cluster SECONDS ROUNDS` runs a
shorter one.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from tests.bench.bench_load import frames_per_s, p95_ms, put_load
from tests.bench.report import Goal, Row, print_goals, print_rows, write_goals, write_json
from tests.helpers.cluster import RunningCluster
from tests.helpers.load_client import Load, Plan
from tests.helpers.nginx import running_nginx
from tests.helpers.scenes import moving_faces
from tests.helpers.serving import Server

SECONDS, ROUNDS = 8.0, 5
CLIENTS = 8
WORKERS = max(2, os.cpu_count() or 2)

ALONE, BEHIND_NGINX, TWO_NODES = "one node", "one node behind nginx", "two nodes behind nginx"
WANTED = {BEHIND_NGINX: 0.90, TWO_NODES: 0.95}
"""Of the frames a second of one node."""


def turns(ports: dict[str, int], seconds: float, rounds: int) -> dict[str, list[Load]]:
    """Put the same load on each port in turn; in every other round in the opposite order."""
    images = moving_faces()
    loads: dict[str, list[Load]] = {name: [] for name in ports}
    for number in range(rounds):
        names = list(ports) if number % 2 == 0 else list(reversed(ports))
        for name in names:
            loads[name].append(put_load(Plan(ports[name], CLIENTS, seconds), images))
    return loads


def ratio(loads: Sequence[Load], others: Sequence[Load]) -> float:
    """The median of the ratios of frames a second, round by round."""
    pairs = zip(loads, others, strict=True)
    return statistics.median(frames_per_s(load) / frames_per_s(other) for load, other in pairs)


def row(name: str, loads: Sequence[Load], alone: Sequence[Load]) -> Row:
    """One way as a line of the table."""
    return {
        "way": name,
        "frames/s": statistics.median(map(frames_per_s, loads)),
        "of one node": f"{ratio(loads, alone):.3f}",
        "p95 ms": statistics.median(map(p95_ms, loads)),
        "worst to best round": f"{min(map(frames_per_s, loads)):.0f} to {max(map(frames_per_s, loads)):.0f}",
    }


def main(seconds: float = SECONDS, rounds: int = ROUNDS) -> list[Goal]:
    """Measure, print, and say what of the goals was reached."""
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="mien-nginx-")))
        node = running.enter_context(Server(MIEN_WORKERS=str(WORKERS), MIEN_PROXIES="1"))
        front = running.enter_context(running_nginx(folder, {"n1": node.port}))
        cluster = running.enter_context(RunningCluster(MIEN_WORKERS=str(WORKERS)))
        ports = {ALONE: node.port, BEHIND_NGINX: urlsplit(front).port or 0, TWO_NODES: cluster.port}
        loads = turns(ports, seconds, rounds)
    rows = [row(name, loads[name], loads[ALONE]) for name in ports]
    print_rows(f"{CLIENTS} clients in a closed loop, {WORKERS} workers in all, {rounds} rounds", rows)
    write_json("cluster", rows)
    return [
        Goal(f"{name}: frames/s, of one node", ratio(loads[name], loads[ALONE]), wanted)
        for name, wanted in WANTED.items()
    ]


if __name__ == "__main__":
    arguments = sys.argv[1:]
    reached = main(*(convert(text) for convert, text in zip((float, int), arguments, strict=False)))
    print_goals(reached)
    write_goals("cluster_goals", reached)
    sys.exit(not all(goal.reached for goal in reached))
