"""A hundred thousand hostile frames, packets and messages, beside clients that behave well."""

from __future__ import annotations

import os
import re
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.bench_load import put_load
from tests.faults.hostile.volley import Volley, fire
from tests.faults.memory import Footprint
from tests.faults.metrics import restarts
from tests.faults.outcome import Outcome, at_least, at_most, none
from tests.helpers.attacks import LoggedServer, Target
from tests.helpers.load_client import Plan
from tests.helpers.room_client import TOKEN, api, export, make_room
from tests.helpers.scenes import moving_faces
from tests.helpers.waiting import wait_until

CLIENTS, RATE_PER_S = 2, 5.0
WINDOW_S = 10.0

ADDRESS = "127.0.0.2"
"""Of the attacker: what it uses up of its address's limits is not taken from the others."""

WARM_UP_FRACTION = 0.05
"""Of the shots: fired first, as what the first ones need for good is no growth."""

KEPT_RATE, MAX_GROWTH = 0.9, 0.05
MORE_DESCRIPTORS = 3
MAX_LOG_BYTES = 50.0
"""For each shot; a line has 100 to 200."""

SETTLE_TIMEOUT_S = 180.0

RESTARTED = re.compile(r"worker \d+ ended (by|with) .*?(?:\((\d+) more like it\))?$", re.MULTILINE)
CRASHED = re.compile(r"worker \d+ (?:ended (?:with|by (?!SIGKILL))|violated).*")

PROMISE = (
    "Nothing that a client sends ends the server, a worker or another client's connection: it is refused, "
    "others keep 90% of their rate, and afterwards memory and descriptors are what they were."
)


@dataclass(slots=True)
class _GoodClients:
    """Two clients that behave well: frames a second that were analyzed, window by window."""

    port: int
    images: list[bytes]
    rates: list[float] = field(default_factory=list)

    def measure(self, seconds: float) -> float:
        """Their rate now; 0 where they cannot connect."""
        try:
            load = put_load(Plan(self.port, CLIENTS, seconds, RATE_PER_S), self.images)
        except OSError:
            return 0.0
        return sum(load.analysed) / seconds

    @contextmanager
    def beside(self, seconds: float) -> Iterator[None]:
        """Measure in windows of so many seconds while the block runs, one at least."""
        over = threading.Event()

        def measure() -> None:
            while not self.rates or not over.is_set():
                self.rates.append(self.measure(seconds))

        thread = threading.Thread(target=measure, daemon=True)
        thread.start()
        yield
        over.set()
        thread.join()


@dataclass(frozen=True, slots=True)
class _Seen:
    """What an attack showed; rates are those of the well-behaved clients."""

    volley: Volley
    alone: float
    beside: float
    before: Footprint
    after: Footprint
    restarts: int
    log: str
    exported: bool


def run_long(shots: float) -> Outcome:
    """Fire so many shots; HOSTILE_SHOTS and HOSTILE_SEED of the environment change that, and repeat a run."""
    seed = int(os.environ.get("HOSTILE_SEED", time.time()))
    return run(int(os.environ.get("HOSTILE_SHOTS", shots)), seed)


def run(
    shots: int,
    seed: int,
    kept_rate: float = KEPT_RATE,
    max_growth: float = MAX_GROWTH,
    window_s: float = WINDOW_S,
) -> Outcome:
    """Fire so many shots of a seed, and look at what became of everything."""
    print(f"hostile frames: HOSTILE_SEED={seed} HOSTILE_SHOTS={shots}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        with LoggedServer(log, MIEN_HOST_TOKEN=TOKEN) as server:
            seen = _attack(server, shots, seed, max_growth, window_s)
    print(seen.volley.described(), flush=True)
    return _outcome(seen, kept_rate, max_growth)


def _attack(server: LoggedServer, shots: int, seed: int, max_growth: float, window_s: float) -> _Seen:
    target = Target(server.port, make_room(server), ADDRESS)
    api(server, "POST", f"/rooms/{target.room}/recording", {"state": "started"})
    good = _GoodClients(server.port, moving_faces(count=20))
    warm_up = int(shots * WARM_UP_FRACTION)
    fire(target, seed, range(shots, shots + warm_up))
    alone = good.measure(window_s)
    before = Footprint.of(server)
    with good.beside(window_s):
        volley = fire(target, seed, range(shots))
    after = _settled(server, before, max_growth)
    alone = (alone + good.measure(window_s)) / 2
    log = server.log.read_text(errors="replace")
    if (traceback := log.find("Traceback")) >= 0:
        print(log[max(0, traceback - 500) : traceback + 3000], flush=True)
    exported = "samples.csv" in export(server, target.room)
    beside = sum(good.rates) / len(good.rates)
    return _Seen(volley, alone, beside, before, after, restarts(server, "worker"), log, exported)


def _settled(server: LoggedServer, before: Footprint, max_growth: float) -> Footprint:
    """The footprint once it is back, or after a while."""
    wait_until(server.is_ready, SETTLE_TIMEOUT_S)
    end_s = time.monotonic() + SETTLE_TIMEOUT_S
    while True:
        after = Footprint.of(server)
        is_back = max(after.growth(before).values()) <= max_growth
        if (is_back and after.more_descriptors(before) <= MORE_DESCRIPTORS) or time.monotonic() > end_s:
            return after
        time.sleep(1.0)


def _outcome(seen: _Seen, kept_rate: float, max_growth: float) -> Outcome:
    volley = seen.volley
    explained = sum(1 + int(more or 0) for _, more in RESTARTED.findall(seen.log))
    crashes = CRASHED.findall(seen.log)
    growth = seen.after.growth(seen.before)
    unavailable = volley.count("unavailable")
    return Outcome(
        promise=PROMISE,
        done=f"{volley.fired:,} shots of seed {volley.seed}; {seen.restarts} workers were restarted",
        lost=f"{unavailable} hostile frames were answered as unavailable; {'; '.join(crashes[:3])}",
        figures=(
            none("shots that had another effect than they may", volley.fault_count),
            none("worker restarts without a logged reason", max(0, seen.restarts - explained)),
            none("workers that crashed or broke the protocol", len(crashes)),
            none("tracebacks in the log", seen.log.count("Traceback")),
            at_least("rate of well-behaved clients, of that without", seen.beside / seen.alone, kept_rate),
            *(at_most(f"growth of the {name}", more, max_growth) for name, more in growth.items()),
            at_most("more descriptors", seen.after.more_descriptors(seen.before), MORE_DESCRIPTORS),
            at_most("log, bytes a shot", len(seen.log) / volley.fired, MAX_LOG_BYTES),
            at_least("the recording of the attacked room can be exported", float(seen.exported), 1),
        ),
    )
