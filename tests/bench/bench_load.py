"""What the server carries: simulated browsers over real websockets, on the same cores.

`python -m tests.bench.bench_load`
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context

from tests.bench.report import Goal, Row, print_goals, print_rows, write_json
from tests.helpers.load_client import Load, Plan, simulate
from tests.helpers.processes import memory_mb
from tests.helpers.scenes import moving_faces
from tests.helpers.serving import Server

STAGES = ("decode", "detect", "landmarks", "classify")

OTHERS_LIMIT_CORES = 0.1

FULL_HOUSE, FULL_HOUSE_RATE_PER_S = 25, 10.0
FULL_HOUSE_TURNS = 3
"""The median counts: at nine tenths of what a machine can do, a little less of it doubles every wait."""


def put_load(plan: Plan, images: Sequence[bytes]) -> Load:
    """Simulate the browsers in a process of their own."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(simulate, (plan, images))


def watched(server: Server) -> dict[str, tuple[int, ...]]:
    """The groups of processes whose share of the cores is wanted."""
    return {"server": (server.process.pid,), "workers": tuple(server.worker_pids())}


def row(load: Load) -> Row:
    """The load as a line of a table."""
    plan = load.plan
    percentiles = statistics.quantiles(load.round_trips_ms, n=100)
    return {
        "clients": plan.clients,
        "loop": f"{plan.rate_per_s:g}/s each" if plan.rate_per_s else f"{plan.under_way} under way",
        "frames/s": frames_per_s(load),
        "median ms": percentiles[49],
        "p95 ms": percentiles[94],
        "p99 ms": percentiles[98],
        "pipeline ms": pipeline_ms(load),
        "problems": ", ".join(f"{count} {code}" for code, count in load.problems.items()) or "none",
        "worst share": worst_share(load),
        "faces": load.faces / sum(load.analysed),
        **{f"{name} cores": cores for name, cores in load.cores.items()},
    }


def print_loads(title: str, rows: Sequence[Row]) -> None:
    """Rows of loads as a table, and a warning where they had not the machine for themselves."""
    print_rows(title, rows)
    others = max(float(str(line["other cores"])) for line in rows)
    if others > OTHERS_LIMIT_CORES:
        print(f"Something else took up to {others:.1f} cores meanwhile: this says nothing about the server.")


def frames_per_s(load: Load) -> float:
    """Frames analysed a second, of all clients together."""
    return sum(load.analysed) / load.plan.seconds


def worst_share(load: Load) -> float:
    """What the worst client got of its share: of the frames it sent, or of an equal part of all."""
    plan = load.plan
    fair = plan.rate_per_s * plan.seconds if plan.rate_per_s else sum(load.analysed) / plan.clients
    return min(load.analysed) / fair


def analysed_share(load: Load) -> float:
    """How much of what was sent got a result."""
    return sum(load.analysed) / load.sent


def pipeline_ms(load: Load) -> float:
    """The median of the pipeline's own time for a frame, as the workers measured it."""
    timings = [json.loads(timing) for timing in load.timings]
    return float(statistics.median(sum(timing[stage] for stage in STAGES) for timing in timings))


def p95_ms(load: Load) -> float:
    """The 95th percentile of the round trip."""
    return statistics.quantiles(load.round_trips_ms, n=20)[-1]


def center(loads: Sequence[Load], value: Callable[[Load], float]) -> Load:
    """Of an odd number of loads, the median."""
    return sorted(loads, key=value)[len(loads) // 2]


@contextmanager
def timed_server() -> Iterator[tuple[Server, float]]:
    """A server, and how many seconds it took from the start until it was ready."""
    start_s = time.perf_counter()
    with Server() as server:
        yield server, time.perf_counter() - start_s


def main() -> list[Goal]:
    """Measure, print, and say what of the goals was reached."""
    one_face, four_faces = moving_faces(), moving_faces(faces=4)
    with timed_server() as (server, start_s):
        groups, port = watched(server), server.port
        single = put_load(Plan(port, 1, 4, under_way=1, watched=groups), one_face)
        closed = put_load(Plan(port, 8, 8, watched=groups), one_face)
        four = put_load(Plan(port, 8, 8, watched=groups), four_faces)
        house = Plan(port, FULL_HOUSE, 8, FULL_HOUSE_RATE_PER_S, watched=groups)
        full = center([put_load(house, one_face) for _ in range(FULL_HOUSE_TURNS)], p95_ms)
        memory = [
            {"process": name, "pid": pid, "MB": memory_mb(pid)} for name in groups for pid in groups[name]
        ]
    rows = [row(load) for load in (single, closed, four, full)]
    print_loads("Server load, 640x480 (third line: four faces, else one)", rows)
    print_rows(f"Memory after the load; {start_s:.1f} s from start to ready", memory)
    write_json("load", rows)
    write_json("memory", memory)
    over_pipeline_ms = statistics.median(single.round_trips_ms) - pipeline_ms(single)
    crowd = f"{FULL_HOUSE} clients at {FULL_HOUSE_RATE_PER_S:g} frames/s"
    return [
        Goal(f"{crowd}: share of frames analysed", analysed_share(full), 0.95),
        Goal(f"{crowd}: 95th percentile of the round trip, ms", p95_ms(full), 120, at_most=True),
        Goal(f"{crowd}: share of the worst client", worst_share(full), 0.80),
        Goal("8 clients, closed loop: frames/s", frames_per_s(closed), 300),
        Goal("1 client: median round trip over the pipeline's time, ms", over_pipeline_ms, 3, at_most=True),
        Goal("four faces: cost over one face", frames_per_s(closed) / frames_per_s(four), 3, at_most=True),
        Goal("largest worker, MB", _largest(memory, "workers"), 300, at_most=True),
        Goal("server process, MB", _largest(memory, "server"), 150, at_most=True),
        Goal("start to ready, s", start_s, 4, at_most=True),
    ]


def _largest(memory: Sequence[dict[str, object]], process: str) -> float:
    return max(float(str(line["MB"])) for line in memory if line["process"] == process)


if __name__ == "__main__":
    print_goals(main())
