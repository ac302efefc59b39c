"""What the kernel says about processes: memory and processor time. Linux only."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def memory_mb(pid: int) -> float:
    """The proportional set size in megabytes (10^6): pages shared with other processes count in part."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    kibibytes = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
    assert kibibytes, f"the kernel does not say the memory of process {pid}"
    return int(kibibytes[1]) * 1024 / 1e6


def peak_mb(pid: int) -> float:
    """The most memory that a process had in its life, in megabytes (10^6), shared pages in full."""
    status = Path(f"/proc/{pid}/status").read_text()
    kibibytes = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    assert kibibytes, f"the kernel does not say the memory of process {pid}"
    return int(kibibytes[1]) * 1024 / 1e6


def processor_s(pids: Iterable[int]) -> float:
    """The processor time that these processes have used, in seconds."""
    return sum(_ticks(Path(f"/proc/{pid}/stat").read_text()) for pid in pids) / TICKS_PER_S


def machine_s() -> float:
    """The processor time that the whole machine has spent on anything, all cores together, in seconds."""
    user, nice, system, _idle, _wait, irq, softirq = map(
        int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:8]
    )
    return (user + nice + system + irq + softirq) / TICKS_PER_S


def _ticks(stat: str) -> int:
    """User and system time; fields 14 and 15, counted after the name, which may hold spaces."""
    fields = stat.rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
