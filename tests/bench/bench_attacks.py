"""What well-behaved clients get beside hostile ones: `make bench-attacks`, some 15 minutes.

Two clients send five frames a second, first alone, then beside each attack of `tests.helpers.attacks`; they
connect when the attack is under way. Beside the floods of `tests.helpers.floods`, with and without take
turns. `python -m tests.bench.bench_attacks SECONDS NAME...` runs fewer of them for a shorter time.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from websocket import WebSocketException

from tests.bench.bench_load import put_load
from tests.bench.report import Goal, Row, print_goals, print_rows, write_goals, write_json
from tests.helpers.attacks import ATTACKS, LoggedServer, Target, attacking
from tests.helpers.flood_turns import FloodedServer, Turns
from tests.helpers.floods import FLOODS
from tests.helpers.load_client import Plan
from tests.helpers.processes import memory_mb
from tests.helpers.room_client import TOKEN, make_room
from tests.helpers.scenes import moving_faces

SECONDS = 10.0
CLIENTS, RATE_PER_S = 2, 5.0

TURNS = 3
"""With and without a flood."""

KEPT_RATE = 0.9
HEALTHZ_LIMIT_MS = 1000.0
GROWTH_LIMIT_MB = 100.0
LOG_LIMIT_KB = 20.0
"""For each attack; a line is 0.1 to 0.3 kB."""


def answers(port: int, seconds: float, images: list[bytes]) -> int:
    """How many frames of the well-behaved clients are answered; none where they cannot connect."""
    try:
        return sum(put_load(Plan(port, CLIENTS, seconds, RATE_PER_S), images).analysed)
    except (OSError, WebSocketException) as error:
        print(f"the clients failed: {error!r}")
        return 0


def measure(name: str, seconds: float, images: list[bytes]) -> Row:
    """An attack on a server of its own: the clients' rates without and with it, memory and log."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        with LoggedServer(log, MIEN_HOST_TOKEN=TOKEN) as server:
            target = Target(server.port, make_room(server))
            alone = answers(server.port, seconds, images)
            memory, logged = memory_mb(server.process.pid), log.stat().st_size
            with attacking(name, target):
                beside = answers(server.port, seconds, images)
                growth = memory_mb(server.process.pid) - memory
            return {
                "point": ATTACKS[name][0],
                "attack": name,
                "frames/s alone": alone / seconds,
                "frames/s beside": beside / seconds,
                "kept": beside / alone,
                "memory grew, MB": growth,
                "logged, kB": (log.stat().st_size - logged) / 1000,
            }


def goals(row: Row) -> list[Goal]:
    """What must hold beside an attack."""
    name = str(row["attack"])
    return [
        Goal(f"{name}: rate of two clients, of that without", float(str(row["kept"])), KEPT_RATE),
        Goal(f"{name}: growth of the server, MB", float(str(row["memory grew, MB"])), GROWTH_LIMIT_MB, True),
        Goal(f"{name}: log, kB", float(str(row["logged, kB"])), LOG_LIMIT_KB, True),
    ]


def flooded(name: str, seconds: float, images: list[bytes]) -> Turns:
    """A flood on a server of its own, in turns with and without it."""
    turns = Turns(name)
    with tempfile.TemporaryDirectory() as folder, LoggedServer(Path(folder, "log")) as server:
        plan = Plan(server.port, CLIENTS, seconds, RATE_PER_S)
        for _ in range(TURNS):
            FloodedServer(server, plan, images, put_load).take_turn(turns)
    return turns


def flood_row(turns: Turns) -> Row:
    """The turns as a line of a table."""
    return {
        "flood": f"{FLOODS[turns.name].full} {turns.name}",
        "frames/s alone": turns.alone / turns.seconds,
        "frames/s beside": turns.beside / turns.seconds,
        "kept": f"{turns.kept:.3f}",
        "healthz median, ms": statistics.median(turns.healthz_ms),
        "healthz slowest, ms": max(turns.healthz_ms),
        "healthz failed": turns.unhealthy,
        "refused": ", ".join(f"{count:.0f} {limit}" for limit, count in turns.refused.items()),
    }


def flood_goals(turns: Turns) -> list[Goal]:
    """What must hold beside a flood."""
    return [
        Goal(f"{turns.name}: rate of two clients, of that without", turns.kept, KEPT_RATE),
        Goal(f"{turns.name}: failures of /healthz", turns.unhealthy, 0, at_most=True),
        Goal(f"{turns.name}: slowest /healthz, ms", max(turns.healthz_ms), HEALTHZ_LIMIT_MS, at_most=True),
    ]


def flood_outcome(name: str, seconds: float) -> FloodOutcome:
    """A flood as the report of the fault suite has it; `seconds` are those of a turn."""
    turns = flooded(name, seconds, moving_faces())
    refused = ", ".join(f"{count:.0f} {limit}" for limit, count in turns.refused.items()) or "nothing"
    return FloodOutcome(
        promise="Connections of others cost live clients at most a tenth of their rate; /healthz answers.",
        done=f"{FLOODS[name].full} {name}, {TURNS} turns of {seconds:g} s; limits refused: {refused}",
        lost=f"{max(0.0, 1 - turns.kept):.1%} of the rate, {turns.unhealthy} answers of /healthz",
        figures=tuple(flood_goals(turns)),
    )


@dataclass(frozen=True, slots=True)
class FloodOutcome:
    """What is promised, what was done, what that cost, and the figures that show it."""

    promise: str
    done: str
    lost: str
    figures: tuple[Goal, ...]


def main(seconds: float = SECONDS, names: Sequence[str] = (*ATTACKS, *FLOODS)) -> list[Goal]:
    """Measure, print, and say what of the goals was reached."""
    images = moving_faces()
    rows = [measure(name, seconds, images) for name in names if name in ATTACKS]
    floods = [flooded(name, seconds, images) for name in names if name in FLOODS]
    title = f"{CLIENTS} clients at {RATE_PER_S:g} frames/s beside"
    for kind, table in (("attacks", rows), ("floods", list(map(flood_row, floods)))):
        if table:
            print_rows(f"{title} {kind}", table)
            write_json(kind, table)
    return [*(goal for row in rows for goal in goals(row)), *chain.from_iterable(map(flood_goals, floods))]


if __name__ == "__main__":
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    arguments = sys.argv[1:]
    reached = main(float(arguments[0]) if arguments else SECONDS, arguments[1:] or (*ATTACKS, *FLOODS))
    print_goals(reached)
    write_goals("attacks_goals", reached)
    sys.exit(not all(goal.reached for goal in reached))
