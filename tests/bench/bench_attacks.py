"""What well-behaved clients get beside hostile ones: `make bench-attacks`, some 10 minutes.

Two clients send five frames a second, first alone, then beside each attack of `tests.helpers.attacks`; they
connect when the attack is under way. `python -m tests.bench.bench_attacks SECONDS ATTACK...` runs fewer of
them for a shorter time.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from websocket import WebSocketException

from tests.bench.bench_load import put_load
from tests.bench.report import Goal, Row, print_goals, print_rows, write_goals, write_json
from tests.helpers.attacks import ATTACKS, LoggedServer, Target, attacking
from tests.helpers.load_client import Plan
from tests.helpers.processes import memory_mb
from tests.helpers.room_client import TOKEN, make_room
from tests.helpers.scenes import moving_faces

SECONDS = 10.0
CLIENTS, RATE_PER_S = 2, 5.0

KEPT_RATE = 0.9
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


def main(seconds: float = SECONDS, names: Sequence[str] = tuple(ATTACKS)) -> list[Goal]:
    """Measure, print, and say what of the goals was reached."""
    images = moving_faces()
    rows = [measure(name, seconds, images) for name in names]
    print_rows(f"{CLIENTS} clients at {RATE_PER_S:g} frames/s beside attacks", rows)
    write_json("attacks", rows)
    return [goal for row in rows for goal in goals(row)]


if __name__ == "__main__":
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    arguments = sys.argv[1:]
    reached = main(float(arguments[0]) if arguments else SECONDS, arguments[1:] or tuple(ATTACKS))
    print_goals(reached)
    write_goals("attacks_goals", reached)
    sys.exit(not all(goal.reached for goal in reached))
