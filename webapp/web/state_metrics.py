"""What is so at the moment, as metrics: read when somebody scrapes, so that it costs nothing in between.

| metric | labels | is |
|---|---|---|
| `mien_info` | `version`, `model` | 1 |
| `mien_node_info` | `node` | 1 |
| `mien_lease_seconds` | | how long this node may serve its rooms without a heartbeat; only with PostgreSQL |
| `mien_clients` | | browsers connected over Socket.IO |
| `mien_workers` | `state` | workers that are `ready`, or `starting` |
| `mien_worker_restarts_total` | | workers that had to be started again |
| `mien_jobs` | `state` | frames at the workers (`running`), and those `waiting` for one |
| `mien_file_jobs` | `state` | files sent as jobs that are `queued`, `running`, `done` or `failed` |
| `mien_rooms` | `state` | rooms that are `open`, `closed`; `recording` of the open ones |
| `mien_participants` | `state` | people in rooms: `connected`, or `away` with a seat |
| `mien_samples` | `state` | of the rooms in memory: `stored`, `waiting`, and `lost` since the start |
| `mien_store_ready`, `mien_store_restarts_total` | | whether the store's process answers; its restarts |
| `mien_recording_works` | | 0 while the database takes no samples |
| `mien_child_resident_bytes` | `child`, `pid` | memory of each child process (Linux) |
| `mien_descriptors_short` | | 1 while connections cannot be accepted, as file descriptors ran out |
| `mien_disk_free_bytes` | | free on the disk of the data folder |
| `mien_certificate_end_seconds` | | when the certificate ends, since 1970; only with https |
| `mien_upkeep_due` | `subject` | 1 where the `disk` or the `certificate` needs somebody soon |
"""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from webapp.analysis.worker_pool import PoolState, WorkerPool
from webapp.config import Settings
from webapp.jobs.record import State
from webapp.jobs.service import JobService
from webapp.metrics import REGISTRY
from webapp.rooms.service import RoomService
from webapp.server.connections.descriptors import SHORTAGE
from webapp.server.tls.certificates import certificate_end
from webapp.server.upkeep import SUBJECTS, concerns
from webapp.store.client import StoreClient
from webapp.store.sample_writer import SampleWriter
from webapp.version import VERSION, model_version

FILE_JOB_STATES: tuple[State, ...] = ("queued", "running", "done", "failed")


@dataclass(frozen=True, slots=True)
class StateMetrics(Collector):
    """Reads the parts of one server; `clients` counts its connected browsers. Any thread may call it."""

    settings: Settings
    pool: WorkerPool
    store: StoreClient
    writer: SampleWriter
    rooms: RoomService
    jobs: JobService
    clients: Callable[[], int]

    def text(self) -> bytes:
        """All metrics, counted and read, in the text format of Prometheus 0.0.4."""
        registry = CollectorRegistry()
        registry.register(self)
        return bytes(generate_latest(REGISTRY)) + bytes(generate_latest(registry))

    def collect(self) -> Iterator[Metric]:
        """Every metric of the table above, as `prometheus_client` asks for them."""
        pool = self.pool.state()
        yield from self._info()
        yield GaugeMetricFamily("mien_clients", "Connected browsers", value=self.clients())
        yield _by_state(
            "mien_workers", "Workers", {"ready": pool.ready, "starting": pool.workers - pool.ready}
        )
        yield CounterMetricFamily("mien_worker_restarts", "Workers started again", value=pool.restarts)
        yield _by_state("mien_jobs", "Frames at the workers", {"running": pool.jobs, "waiting": pool.waiting})
        states = self.jobs.states()
        yield _by_state(
            "mien_file_jobs", "Files sent as jobs", {state: states[state] for state in FILE_JOB_STATES}
        )
        yield from self._rooms()
        yield from self._recording()
        yield self._children(pool)
        yield from self._machine()

    def _info(self) -> Iterable[Metric]:
        info = GaugeMetricFamily("mien_info", "Versions", labels=["version", "model"])
        info.add_metric([VERSION, model_version(self.settings.model_path)], 1)
        yield info
        node = GaugeMetricFamily("mien_node_info", "The name of this node", labels=["node"])
        node.add_metric([self.settings.node], 1)
        yield node
        if (lease_s := self.rooms.catalogue.lease_s()) is not None:
            yield GaugeMetricFamily("mien_lease_seconds", "How long rooms may be served", value=lease_s)

    def _rooms(self) -> Iterable[Metric]:
        rooms = list(self.rooms.loaded().values())
        states = Counter(room.state for room in rooms)
        recording = sum(room.recording is not None for room in rooms)
        now_s = time.monotonic()
        people = [one for room in rooms for one in room.participants.values()]
        connected = sum(one.connection is not None for one in people)
        seated = sum(one.holds_seat(now_s) for one in people)
        yield _by_state(
            "mien_rooms",
            "Rooms",
            {"open": states["open"], "closed": states["closed"], "recording": recording},
        )
        yield _by_state(
            "mien_participants",
            "People in rooms",
            {"connected": connected, "away": seated - connected},
        )

    def _recording(self) -> Iterable[Metric]:
        totals = self.writer.totals()
        yield _by_state(
            "mien_samples",
            "Samples",
            {"stored": totals.stored, "waiting": totals.waiting, "lost": totals.lost},
        )
        yield GaugeMetricFamily("mien_store_ready", "The store answers", value=self.store.ready)
        yield CounterMetricFamily("mien_store_restarts", "Stores started again", value=self.store.restarts)
        yield GaugeMetricFamily(
            "mien_recording_works", "The database takes samples", value=totals.problem is None
        )

    def _children(self, pool: PoolState) -> Metric:
        memory = GaugeMetricFamily(
            "mien_child_resident_bytes", "Memory of child processes", labels=["child", "pid"]
        )
        children: list[tuple[str, int | None]] = [("worker", pid) for pid in pool.pids]
        children += [("store", self.store.pid)]
        children += [("jobs", pid) for pid in self.jobs.processes.pids().values()]
        for name, pid in children:
            if pid is not None and (resident := _resident_bytes(pid)) is not None:
                memory.add_metric([name, str(pid)], resident)
        return memory

    def _machine(self) -> Iterable[Metric]:
        yield GaugeMetricFamily(
            "mien_descriptors_short", "File descriptors ran out a moment ago", value=bool(SHORTAGE)
        )
        free = shutil.disk_usage(self.settings.data_dir).free
        yield GaugeMetricFamily("mien_disk_free_bytes", "Free on the disk of the data folder", value=free)
        if (end := certificate_end(self.settings)) is not None:
            yield GaugeMetricFamily(
                "mien_certificate_end_seconds", "When the certificate ends", value=end.timestamp()
            )
        due = dict.fromkeys(SUBJECTS, 0) | {one.subject: 1 for one in concerns(self.settings)}
        family = GaugeMetricFamily("mien_upkeep_due", "What needs somebody soon", labels=["subject"])
        for subject, value in due.items():
            family.add_metric([subject], value)
        yield family


def _by_state(name: str, help_text: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, help_text, labels=["state"])
    for state, value in values.items():
        family.add_metric([state], value)
    return family


def _resident_bytes(pid: int) -> int | None:
    """The memory of a process, or None where the system does not tell, or it has ended."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")
