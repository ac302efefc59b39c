"""All faults, by name, with how long each runs under `make faults`."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import pytest

from tests.faults.outcome import Outcome
from tests.faults.report import BROKEN, KEPT, NOT_CHECKED, Line
from tests.faults.scenarios import (
    cluster,
    disk,
    floods,
    fuzzing,
    hostile_frames,
    large_room,
    network,
    postgresql,
    redis,
    soak,
    workers_and_store,
)


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault: `run` tries it for about so many seconds, or with so much of another `unit`."""

    name: str
    run: Callable[[float], Outcome]
    extent: float
    unit: str = "s"


FAULTS = (
    Fault("workers and store", workers_and_store.run, 60.0),
    Fault("disk full", disk.run, 45.0),
    Fault("postgresql gone", postgresql.run_stopped, 20.0),
    Fault("postgresql hangs", postgresql.run_frozen, 30.0),
    Fault("redis gone", redis.run, 45.0),
    Fault("network dropped", partial(network.run, way="drop"), 10.0),
    Fault("network stalled", partial(network.run, way="stall"), 10.0),
    Fault("two nodes", cluster.run, 15.0),
    Fault("ten million samples", large_room.run, 10_000_000, "samples"),
    Fault("floods", floods.run, 10.0, "s a turn"),
    Fault("hostile frames", hostile_frames.run_long, 100_000, "shots"),
    Fault("fuzzing", fuzzing.run, 600.0),
    Fault("soak", soak.run_long, 1800.0),
)


def chosen(names: list[str]) -> tuple[Fault, ...]:
    """The faults whose names contain one of these words; all of them without any.

    Raises:
        SystemExit: a word names none.
    """
    for word in names:
        if not any(word in fault.name for fault in FAULTS):
            known = ", ".join(fault.name for fault in FAULTS)
            raise SystemExit(f"No fault is called {word}. There are: {known}.")
    return tuple(fault for fault in FAULTS if not names or any(word in fault.name for word in names))


def tried(fault: Fault) -> Line:
    """Try a fault; what fails in the check itself breaks its promise, and what is missing leaves it open."""
    start_s = time.monotonic()
    try:
        outcome = fault.run(fault.extent)
    except pytest.skip.Exception as missing:
        return Line(fault.name, NOT_CHECKED, time.monotonic() - start_s, reason=str(missing.msg))
    except Exception as error:  # noqa: BLE001 - the other faults are tried all the same
        traceback.print_exc()
        return Line(fault.name, BROKEN, time.monotonic() - start_s, reason=f"The check failed: {error!r}")
    status = KEPT if outcome.kept else BROKEN
    return Line(fault.name, status, time.monotonic() - start_s, outcome)


def tried_all(faults: tuple[Fault, ...]) -> Iterator[Line]:
    """Try faults one after another."""
    for fault in faults:
        print(f"\n=== {fault.name}: {fault.extent:,.0f} {fault.unit}", flush=True)
        yield tried(fault)
