"""A worker process: reads images from its socket, analyzes them, writes back what it found.

The pool starts it as `python -m webapp.analysis.worker FILE_DESCRIPTOR RUNTIME MODEL`; it ends when the
socket closes. Workers keep no state between images and never store one.
"""

from __future__ import annotations

import contextlib
import logging
import resource
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

from webapp.config import Runtime
from webapp.errors import FrameError, UnavailableError
from webapp.ipc import framing
from webapp.ipc.job_codec import Outcome, pack_outcome, unpack_job
from webapp.protocol import Analysis, Job

HEADROOM_BYTES = 1 << 30
"""The address space that a worker may use beyond its loaded models. The largest images take 0.3 GB of it.
Keras maps 2.3 GB when it starts, more with more cores, so the limit is relative to that."""

logger = logging.getLogger(__name__)

Analyze = Callable[[Job], Analysis]


def serve(end: socket.socket, analyze: Analyze) -> None:
    """Do jobs one after another until the server closes its end."""
    while (message := framing.receive(end)) is not None:
        outcome = _outcome(analyze, unpack_job(message.payload))
        framing.send(end, framing.Message(message.request_id, pack_outcome(outcome)))


def _outcome(analyze: Analyze, job: Job) -> Outcome:
    try:
        return analyze(job)
    except FrameError as problem:
        return problem
    except Exception:  # noqa: BLE001 - one frame must not end the worker; the log has the cause
        logger.exception("an image of %d bytes could not be analyzed", len(job.image))
        return UnavailableError("This image could not be analyzed; the server's log says why.")


def limit_memory() -> None:
    """Let this process map HEADROOM_BYTES more than it does now; decoding an image that needs more fails.

    On Linux only: elsewhere the system has no such limit, or does not report what is mapped.
    """
    status = Path("/proc/self/statm")
    if status.exists():
        mapped = int(status.read_text().split()[0]) * resource.getpagesize()
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        limit = mapped + HEADROOM_BYTES
        if hard == resource.RLIM_INFINITY or limit < hard:
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def main(file_descriptor: int, runtime: Runtime, model: Path) -> None:
    """Load the models, limit the memory, report ready, serve."""
    from webapp.vision.pipeline import Pipeline  # here, so that importing this module stays cheap

    end = socket.socket(fileno=file_descriptor)
    end.setblocking(True)  # a socket made by a patched process comes non-blocking
    pipeline = Pipeline(runtime, model)
    limit_memory()
    framing.send(end, framing.Message(framing.READY_ID, b""))
    serve(end, pipeline.analyze)


if __name__ == "__main__":
    logging.basicConfig(format="%(asctime)s %(levelname)s worker %(process)d: %(message)s")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the closing socket ends us
    with contextlib.suppress(ConnectionError):  # the server is gone
        main(int(sys.argv[1]), cast(Runtime, sys.argv[2]), Path(sys.argv[3]))
