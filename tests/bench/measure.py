"""What every benchmark shares: timing with a warm-up, and a table that names the machine."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

WARM_UP_CALLS = 10


@dataclass(frozen=True, slots=True)
class Timing:
    """Durations of one thing, in milliseconds."""

    name: str
    durations_ms: Sequence[float]

    @property
    def median_ms(self) -> float:
        """The median duration."""
        return statistics.median(self.durations_ms)

    @property
    def p95_ms(self) -> float:
        """The duration that 95% stay under."""
        return statistics.quantiles(self.durations_ms, n=20)[-1]


def timed(name: str, call: Callable[[], object], calls: int = 200) -> Timing:
    """Warm up, then time each of `calls` calls."""
    return timed_in_turn({name: call}, calls)[0]


def timed_in_turn(named: dict[str, Callable[[], object]], calls: int = 200) -> list[Timing]:
    """The same for several, one call of each after the other, so that they meet the same conditions."""
    durations_ms: dict[str, list[float]] = {name: [] for name in named}
    for turn in range(WARM_UP_CALLS + calls):
        for name, call in named.items():
            start_s = time.perf_counter()
            call()
            if turn >= WARM_UP_CALLS:
                durations_ms[name].append(1000 * (time.perf_counter() - start_s))
    return [Timing(name, durations) for name, durations in durations_ms.items()]


def print_table(title: str, timings: Sequence[Timing]) -> None:
    """A line a timing; the machine above, as figures from shared machines vary."""
    print(f"\n{title}\n{machine()}")
    print(f"{'':44}{'median ms':>12}{'p95 ms':>12}")
    for timing in timings:
        print(f"{timing.name:44}{timing.median_ms:12.3f}{timing.p95_ms:12.3f}")


def machine() -> str:
    """The processor, the number of cores and the Python."""
    return f"{_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as lines:  # noqa: PTH123
            return next(line.split(": ")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
