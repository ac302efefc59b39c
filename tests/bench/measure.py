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
        """The middle duration."""
        return statistics.median(self.durations_ms)

    @property
    def p95_ms(self) -> float:
        """The duration that 95% stay under."""
        return statistics.quantiles(self.durations_ms, n=20)[-1]


def timed(name: str, call: Callable[[], object], calls: int = 200) -> Timing:
    """Warm up, then time each of `calls` calls."""
    for _ in range(WARM_UP_CALLS):
        call()
    durations_ms = []
    for _ in range(calls):
        start_s = time.perf_counter()
        call()
        durations_ms.append(1000 * (time.perf_counter() - start_s))
    return Timing(name, durations_ms)


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
