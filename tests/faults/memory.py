"""The memory and the descriptors of a server's processes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tests.helpers.serving import Server


@dataclass(frozen=True, slots=True)
class Footprint:
    """What the processes of a server take: memory in megabytes (10^6), and open descriptors, by process.

    The memory is the resident set. The proportional set would also change whenever another process that
    shares a library begins or ends.
    """

    memory_mb: dict[str, float]
    descriptors: dict[str, int]

    @classmethod
    def of(cls, server: Server) -> Footprint:
        """Now; of the workers, one of which may have been started a moment ago, the largest."""
        pids = {"server": [server.process.pid], "largest worker": server.worker_pids()}
        pids["store"] = server.store_pids()
        return cls(
            {name: max(map(resident_mb, some)) for name, some in pids.items() if some},
            {name: max(map(_descriptors, some)) for name, some in pids.items() if some},
        )

    def growth(self, before: Footprint) -> dict[str, float]:
        """The memory of each process over what it was before, less one."""
        known = self.memory_mb.keys() & before.memory_mb.keys()
        return {name: self.memory_mb[name] / before.memory_mb[name] - 1 for name in sorted(known)}

    def more_descriptors(self, before: Footprint) -> int:
        """By how many descriptors the process grew that gained most."""
        known = self.descriptors.keys() & before.descriptors.keys()
        return max(self.descriptors[name] - before.descriptors[name] for name in known)


def _descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def resident_mb(pid: int) -> float:
    """The resident set of a process in megabytes (10^6)."""
    kibibytes = re.search(r"^VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert kibibytes, f"the kernel does not say the memory of process {pid}"
    return int(kibibytes[1]) * 1024 / 1e6
