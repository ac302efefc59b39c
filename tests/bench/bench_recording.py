"""What recording costs, and whether it is whole: `make bench-recording`, 16 minutes.

Thirty simulated participants send five frames a second, which is far from what the server can take: without
recording, and recording into SQLite and into a PostgreSQL of its own. The three take turns of half a
minute, five minutes of each, and every round begins with another; what is compared are turns of the same
round, so that what else the machine does falls on all alike. `python -m tests.bench.bench_recording SECONDS
ROUNDS` makes turns shorter or fewer.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.bench.bench_load import print_loads, row
from tests.bench.crowd import Crowd, Kept
from tests.bench.report import Goal, Row, print_goals, print_rows, write_goals, write_json, write_plot
from tests.helpers.load_client import Load
from tests.helpers.postgres import find_postgres, running_postgres
from tests.helpers.room_client import TOKEN
from tests.helpers.scenes import moving_faces
from tests.helpers.serving import Server

SECONDS, ROUNDS = 30.0, 10
WITHOUT, SQLITE, POSTGRESQL = "none", "SQLite", "PostgreSQL"
MAX_RATIO_LENGTH = 1.1


@contextmanager
def crowds() -> Iterator[dict[str, Crowd]]:
    """A room for each kind of recording; none is on the server with SQLite."""
    programs, images = find_postgres(), moving_faces()
    if programs is None:
        sys.exit("PostgreSQL is needed: apt install postgresql")
    with (
        running_postgres(programs) as postgres,
        Server(MIEN_HOST_TOKEN=TOKEN) as on_sqlite,
        Server(MIEN_HOST_TOKEN=TOKEN, MIEN_DATABASE_URL=postgres.url) as on_postgres,
    ):
        yield {
            WITHOUT: Crowd(on_sqlite, images),
            SQLITE: Crowd(on_sqlite, images),
            POSTGRESQL: Crowd(on_postgres, images),
        }


def take_turns(crowds: dict[str, Crowd], seconds: float, rounds: int) -> dict[str, list[Load]]:
    """The loads of each kind; each round begins with another."""
    loads: dict[str, list[Load]] = {name: [] for name in crowds}
    names = list(crowds)
    for number in range(rounds):
        first = number % len(names)
        for name in (*names[first:], *names[:first]):
            loads[name].append(crowds[name].turn(seconds, recording=name != WITHOUT))
            print(f"round {number + 1} of {rounds}, {name}: {_p50(loads[name][-1:]):.1f} ms", flush=True)
    return loads


def summary(name: str, loads: dict[str, list[Load]], kept: Kept | None) -> Row:
    """All turns of a kind as a line of the table; a ratio is the median of those of the rounds."""
    own, without = loads[name], loads[WITHOUT]
    ratios = {
        name: [of([mine]) / of([other]) for mine, other in zip(own, without, strict=True)]
        for name, of in (("median", _p50), ("p95", _p95))
    }
    return {
        "recording": name,
        "frames": sum(sum(load.analysed) for load in own),
        "refused": sum(sum(load.problems.values()) for load in own),
        "median ms": _p50(own),
        "p95 ms": _p95(own),
        "median ratio": statistics.median(ratios["median"]),
        "p95 ratio": statistics.median(ratios["p95"]),
        "least and most": f"{min(ratios['median']):.2f}-{max(ratios['median']):.2f}",
        "analysed": kept.expected if kept else 0,
        "missing": kept.missing if kept else 0,
        "twice": kept.twice if kept else 0,
    }


def main(seconds: float = SECONDS, rounds: int = ROUNDS) -> list[Goal]:
    """Measure, print, and say what of the goals was reached."""
    with crowds() as by_name:
        loads = take_turns(by_name, seconds, rounds)
        kept = {name: by_name[name].kept() for name in (SQLITE, POSTGRESQL)}
    turns = [{"recording": name, **row(load)} for name in loads for load in loads[name]]
    rows = [summary(name, loads, kept.get(name)) for name in loads]
    print_loads("Turns", turns)
    print_rows("Recording, 30 participants at 5 frames/s", rows)
    write_json("recording_turns", turns)
    write_json("recording", rows)
    write_plot("recording", rows, "recording", "median ms", "p95 ms")
    return [goal for line in rows[1:] for goal in _goals(line)]


def _goals(line: Row) -> list[Goal]:
    def goal(what: str, column: str, limit: float) -> Goal:
        return Goal(f"{line['recording']}: {what}", float(str(line[column])), limit, at_most=True)

    return [
        goal("median round trip, of that without recording", "median ratio", MAX_RATIO_LENGTH),
        goal("95th percentile, of that without recording", "p95 ratio", MAX_RATIO_LENGTH),
        goal("analysed frames that were not stored", "missing", 0),
        goal("samples stored twice", "twice", 0),
    ]


def _p50(loads: list[Load]) -> float:
    return statistics.median(trip_ms for load in loads for trip_ms in load.round_trips_ms)


def _p95(loads: list[Load]) -> float:
    return statistics.quantiles([trip_ms for load in loads for trip_ms in load.round_trips_ms], n=20)[-1]


if __name__ == "__main__":
    goals = main(float(sys.argv[1]), int(sys.argv[2])) if len(sys.argv) == 3 else main()
    print_goals(goals)
    write_goals("recording_goals", goals)
    sys.exit(not all(goal.reached for goal in goals))
