"""Half an hour of steady load: memory, descriptors and round trips stay as they are."""

from __future__ import annotations

import itertools
import os
import statistics
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from tests.bench.bench_load import frames_per_s, put_load
from tests.faults.memory import Footprint
from tests.faults.metrics import restarts
from tests.faults.outcome import NOTHING, Outcome, at_least, at_most, none
from tests.helpers.cluster import connected
from tests.helpers.load_client import Load, Plan
from tests.helpers.room_client import TOKEN, api, make_room
from tests.helpers.scenes import moving_faces
from tests.helpers.serving import Server
from tests.helpers.waiting import wait_until

CLIENTS = 16
LOAD_FRACTION = 0.7
CAPACITY_S = 20.0
JOIN_TIMEOUT_S = 120.0
SAMPLES = 120
"""Of memory and descriptors, over the whole time."""

FIRST_FRACTION = 1 / 6
"""The first five minutes of thirty: until then caches fill. As long a piece is compared at the end."""

MAX_GROWTH, MAX_P95_RATIO, MAX_MORE_DESCRIPTORS = 0.05, 1.2, 3
MIN_RESULTS = 0.95

PROMISE = (
    "At 70% of what the machine can do, with a recording, no process grows by more than 5% after the first "
    "five minutes of thirty, none keeps descriptors, and answers take as long at the end as at the beginning."
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Soaked:
    """What a soak showed; the footprints are of its whole time."""

    capacity: float
    load: Load
    footprints: Sequence[Footprint]
    worker_restarts: int
    store_restarts: int

    @property
    def growth(self) -> dict[str, float]:
        """The growth of each process; see `growth_of`."""
        return growth_of(self.footprints)

    @property
    def more_descriptors(self) -> int:
        """What the process that gained most has at the end beyond what it had after the first piece."""
        first, last = _slices(self.footprints)
        return last[-1].more_descriptors(first[-1])

    @property
    def p95_ms(self) -> tuple[float, float]:
        """The 95th percentile of the round trips in the first and in the last piece."""
        first, last = (statistics.quantiles(piece, n=20)[-1] for piece in _slices(self.load.round_trips_ms))
        return first, last

    @property
    def results(self) -> float:
        """How many of the frames that were sent got a result, of 1."""
        return sum(self.load.analysed) / self.load.sent

    def described(self, seconds: float) -> str:
        """What was done, in a sentence."""
        rate = CLIENTS * (self.load.plan.rate_per_s or 0.0)
        first_ms, last_ms = self.p95_ms
        memory = ", ".join(f"{name} {mb:.0f} MB" for name, mb in self.footprints[-1].memory_mb.items())
        return (
            f"{seconds / 60:g} min, {CLIENTS} participants, {rate:.0f} frames/s of {self.capacity:.0f}; "
            f"95% of round trips within {first_ms:.0f} ms at first, {last_ms:.0f} ms at last; {memory}"
        )


def run_long(seconds: float) -> Outcome:
    """Soak for the given time, or for SOAK_MINUTES of the environment."""
    minutes = os.environ.get("SOAK_MINUTES")
    return run(60 * float(minutes) if minutes else seconds)


def run(
    seconds: float,
    max_growth: float = MAX_GROWTH,
    max_p95_ratio: float = MAX_P95_RATIO,
    min_results: float = MIN_RESULTS,
    capacity_s: float = CAPACITY_S,
) -> Outcome:
    """Measure what the machine can do, put 70% of that on the server, and watch its processes."""
    with Server(MIEN_HOST_TOKEN=TOKEN) as server:
        soaked = _soak(server, seconds, capacity_s)
    figures = (
        *(at_most(f"growth of the {name}", more, max_growth) for name, more in soaked.growth.items()),
        at_most("more descriptors", soaked.more_descriptors, MAX_MORE_DESCRIPTORS),
        at_most(
            "95th percentile of the round trip, last over first",
            soaked.p95_ms[1] / soaked.p95_ms[0],
            max_p95_ratio,
        ),
        at_least("frames with a result, of those sent", soaked.results, min_results),
        none("workers restarted", soaked.worker_restarts),
        none("stores restarted", soaked.store_restarts),
    )
    lost = f"{soaked.load.problems.total()} frames refused" if soaked.load.problems else NOTHING
    return Outcome(PROMISE, soaked.described(seconds), lost, figures)


def _soak(server: Server, seconds: float, capacity_s: float) -> _Soaked:
    images = moving_faces()
    capacity = frames_per_s(put_load(Plan(server.port, CLIENTS, capacity_s), images))
    room = make_room(server, max_participants=CLIENTS)
    api(server, "POST", f"/rooms/{room}/recording", {"state": "started"})
    joining = tuple({"room": room, "consent": True, "alias": f"P{number}"} for number in range(CLIENTS))
    rate_per_s = LOAD_FRACTION * capacity / CLIENTS
    plan = Plan(server.port, CLIENTS, seconds, rate_per_s, warm_up_s=3.0, joining=joining)
    loads: list[Load] = []
    putting = threading.Thread(target=lambda: loads.append(put_load(plan, images)), daemon=True)
    putting.start()
    wait_until(lambda: connected(server.port) == CLIENTS, JOIN_TIMEOUT_S)  # a connection is a descriptor
    footprints = []
    while putting.is_alive():
        footprints.append(Footprint.of(server))
        putting.join(max(0.5, seconds / SAMPLES))
    (load,) = loads
    return _Soaked(capacity, load, footprints, restarts(server, "worker"), restarts(server, "store"))


def growth_of(footprints: Sequence[Footprint]) -> dict[str, float]:
    """The memory of each process in the last piece over that after the first one, less one."""
    first, last = _slices(footprints)
    after_first = footprints[len(first) : 2 * len(first)]
    before, after = _median(after_first), _median(last)
    return {name: after[name] / before[name] - 1 for name in sorted(before.keys() & after.keys())}


def _slices(values: Sequence[T]) -> tuple[Sequence[T], Sequence[T]]:
    """The first and the last piece of values that were measured over the whole time."""
    length = max(1, round(len(values) * FIRST_FRACTION))
    return values[:length], values[-length:]


def _median(footprints: Sequence[Footprint]) -> dict[str, float]:
    names = set(itertools.chain(*(one.memory_mb for one in footprints)))
    return {
        name: statistics.median(one.memory_mb[name] for one in footprints if name in one.memory_mb)
        for name in names
    }
