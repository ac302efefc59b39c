"""What a server counts while it works, under the names that Prometheus scrapes from `/metrics`.

| metric | labels | counts |
|---|---|---|
| `mien_frames_total` | `outcome` | live frames: `analyzed`, or the code of their problem |
| `mien_frame_faces_total` | | faces in them |
| `mien_frame_stage_seconds` | `stage` | time of an analyzed frame by stage: `queue`, `detect`, ..., `total` |
| `mien_uploads_total` | `outcome` | images sent to `/api/v1/analyze`, as the frames |
| `mien_http_requests_total` | `method`, `area`, `status` | requests; an area is a group of routes |
| `mien_connections` | | TCP connections that are open, idle ones included |
| `mien_refusals_total` | `limit` | what a limit refused, by the limit's name in docs/limits.md |
| `mien_log_messages_total` | `level` | warnings and errors in the log, those too that the log left out |
| `process_...` | | memory, CPU and descriptors of the serving process |

`webapp.web.state_metrics` adds what is so at the moment: clients, workers, rooms, samples, the store.

The counters belong to the process, as the log does: any module counts where something happens, on any thread.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

ANALYZED = "analyzed"

STAGE_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)

_frames = Counter("mien_frames", "Live frames by outcome", ["outcome"], registry=REGISTRY)
_faces = Counter("mien_frame_faces", "Faces in analyzed live frames", registry=REGISTRY)
_stages = Histogram(
    "mien_frame_stage_seconds",
    "Time of analyzed live frames by stage",
    ["stage"],
    buckets=STAGE_BUCKETS_S,
    registry=REGISTRY,
)
_uploads = Counter(
    "mien_uploads", "Images sent to /api/v1/analyze by outcome", ["outcome"], registry=REGISTRY
)
_requests = Counter(
    "mien_http_requests", "Answered HTTP requests", ["method", "area", "status"], registry=REGISTRY
)
_connections = Gauge("mien_connections", "Open TCP connections", registry=REGISTRY)
_refusals = Counter("mien_refusals", "What limits refused", ["limit"], registry=REGISTRY)
_messages = Counter("mien_log_messages", "Warnings and errors in the log", ["level"], registry=REGISTRY)


def count_frame(timing_ms: Mapping[str, float], faces: int) -> None:
    """A live frame was analyzed; `timing_ms` is its result's."""
    _frames.labels(ANALYZED).inc()
    _faces.inc(faces)
    for stage, elapsed_ms in timing_ms.items():
        _stages.labels(stage).observe(elapsed_ms / 1000)


def count_frame_problem(code: str) -> None:
    """A live frame was answered with a problem."""
    _frames.labels(code).inc()


def count_upload(outcome: str) -> None:
    """An uploaded image was `ANALYZED`, or answered with the problem of this code."""
    _uploads.labels(outcome).inc()


def count_request(method: str, area: str, status: int) -> None:
    """An HTTP request was answered."""
    _requests.labels(method, area, status).inc()


def tell_connections(count: int) -> None:
    """So many connections are open now."""
    _connections.set(count)


def count_refusal(limit: str) -> None:
    """A limit refused something; `limit` is a name in words, such as `connections of an address`."""
    _refusals.labels(limit).inc()


class LogCounter(logging.Filter):
    """Counts warnings and errors; put first, it sees those too that later filters leave out."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Count a record and let it pass."""
        if record.levelno >= logging.WARNING:
            _messages.labels(record.levelname.lower()).inc()
        return True
