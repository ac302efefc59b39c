"""How the server grows: over clients, faces, workers and the size of the images, all in closed loop.

`python -m tests.bench.bench_growth`; tables, and in build/bench a plot each. `make bench` runs the growth
over clients alone, which has a goal.
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.bench.bench_load import center, frames_per_s, print_loads, put_load, row, watched
from tests.bench.report import Goal, print_goals, write_json, write_plot
from tests.helpers.load_client import Load, Plan
from tests.helpers.scenes import moving_faces
from tests.helpers.serving import Server

CLIENTS = (1, 2, 4, 8, 16, 32, 64)
FACES = (1, 2, 4, 6, 8)
WORKERS = (1, 2, 3, 4)
WIDTHS = (320, 480, 640, 960, 1280)

SECONDS = 5.0
TURNS, TURN_SECONDS = 3, 3.0
"""Each number of clients is measured several times, and the median counts: a shared machine may be a quarter
slower in one minute than in the next, and in one row after the other that looks like growth."""

CROWD = 8
"""The clients where something else grows."""


def over_clients() -> list[Goal]:
    """1 to 64 clients, all on one server, each number in its turn."""
    images = moving_faces()
    with Server() as server:
        plans = [Plan(server.port, clients, TURN_SECONDS, watched=watched(server)) for clients in CLIENTS]
        turns = [[put_load(plan, images) for plan in plans] for _ in range(TURNS)]
    loads = [center(same, frames_per_s) for same in zip(*turns, strict=True)]
    _report("growth_clients", "clients", CLIENTS, loads)
    rates = [frames_per_s(load) for load in loads]
    after_peak = min(rates[rates.index(max(rates)) :])
    return [Goal("1 to 64 clients: least frames/s after the peak, of the peak", after_peak / max(rates), 0.9)]


def over_faces() -> None:
    """1 to 8 faces in each image."""
    with Server() as server:
        loads = [_crowd(server, moving_faces(faces)) for faces in FACES]
    _report("growth_faces", "faces in an image", FACES, loads)


def over_workers() -> None:
    """1 to 4 workers, each number with a server of its own."""
    images, loads = moving_faces(), []
    for workers in WORKERS:
        with Server(MIEN_WORKERS=str(workers)) as server:
            loads.append(_crowd(server, images))
    _report("growth_workers", "workers", WORKERS, loads)


def over_widths() -> None:
    """Images of 320 x 240 to 1280 x 960 pixels."""
    with Server() as server:
        loads = [_crowd(server, moving_faces(width=width)) for width in WIDTHS]
    _report("growth_widths", "width of an image", WIDTHS, loads)


def _crowd(server: Server, images: Sequence[bytes]) -> Load:
    return put_load(Plan(server.port, CROWD, SECONDS, watched=watched(server)), images)


def _report(name: str, over: str, values: Sequence[int], loads: Sequence[Load]) -> None:
    rows = [{over: value, **row(load)} for value, load in zip(values, loads, strict=True)]
    print_loads(f"Growth over {over}, closed loop", rows)
    write_json(name, rows)
    write_plot(name, rows, over, "frames/s", "p95 ms")


def main() -> list[Goal]:
    """All of them."""
    goals = over_clients()
    over_faces()
    over_workers()
    over_widths()
    return goals


if __name__ == "__main__":
    print_goals(main())
