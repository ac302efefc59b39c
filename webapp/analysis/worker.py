"""A worker process: reads images from its socket, analyzes them, writes back what it found.

The pool starts it as `python -m webapp.analysis.worker FILE_DESCRIPTOR RUNTIME MODEL MAX_PIXELS`; it ends
when the socket closes. Workers keep no state between images and never store one.

Frames are analyzed in order, on the main thread. Image files, which may take seconds, are analyzed on a
thread of low priority beside it, with models of its own: frames never wait for them.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import resource
import signal
import socket
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

from webapp.config import Runtime
from webapp.errors import FrameError, TooLargeError, UnavailableError
from webapp.ipc import framing
from webapp.ipc.job_codec import Outcome, pack_outcome, unpack_job
from webapp.ipc.memory import MemoryTrimmer, keep_what_exists
from webapp.ipc.native_output import drop_native_output
from webapp.protocol import Analysis, Job

HEADROOM_BYTES = 1 << 30
"""The address space that a worker may use beyond its loaded models, and beyond what image files need. The
largest frames take 0.3 GB of it. Keras maps 2.3 GB when it starts, more with more cores, so the limit is
relative to that."""

BYTES_PER_PIXEL = 16
"""What an image file takes while it is decoded, turned and shrunk, at most."""

FILE_PRIORITY = 10
"""The nice value of the thread for files (Linux has one for each thread). Beside one that is always busy it
gets a tenth of a core, so a photograph is late but not forgotten."""

logger = logging.getLogger(__name__)

Analyze = Callable[[Job], Analysis]


def serve(end: socket.socket, analyze: Analyze, analyze_file: Analyze) -> None:
    """Do jobs until the server closes its end: frames in order here, files in order on a thread beside."""
    sending = threading.Lock()

    def reply(request_id: int, job: Job, do: Analyze) -> None:
        outcome = _outcome(do, job)
        with sending:
            framing.send(end, framing.Message(request_id, pack_outcome(outcome)))

    with ThreadPoolExecutor(1, "files", initializer=_lower_priority) as files:
        while (message := framing.receive(end)) is not None:
            job = unpack_job(message.payload)
            if job.is_file:
                files.submit(reply, message.request_id, job, analyze_file)
            else:
                reply(message.request_id, job, analyze)


def _lower_priority() -> None:
    """Let other threads go first."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), FILE_PRIORITY)


def _outcome(analyze: Analyze, job: Job) -> Outcome:
    try:
        return analyze(job)
    except FrameError as problem:
        return problem
    except MemoryError:
        return TooLargeError("There is not enough memory for an image of this size; send a smaller one.")
    except Exception:  # noqa: BLE001 - one frame must not end the worker; the log has the cause
        logger.exception("an image of %d bytes could not be analyzed", len(job.image))
        return UnavailableError("This image could not be analyzed; the server's log says why.")


def limit_memory(max_pixels: int) -> None:
    """Let this process map HEADROOM_BYTES, and what a file of `max_pixels` needs, more than it does now.

    Decoding an image that needs more fails.

    On Linux only: elsewhere the system has no such limit, or does not report what is mapped.
    """
    status = Path("/proc/self/statm")
    if status.exists():
        mapped = int(status.read_text().split()[0]) * resource.getpagesize()
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        limit = mapped + HEADROOM_BYTES + BYTES_PER_PIXEL * max_pixels
        if hard == resource.RLIM_INFINITY or limit < hard:
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def main(file_descriptor: int, runtime: Runtime, model: Path, max_pixels: int) -> None:
    """Load the models, limit the memory, report ready, serve."""
    from webapp.vision.pipeline import Pipeline  # here, so that importing this module stays cheap

    end = socket.socket(fileno=file_descriptor)
    end.setblocking(True)  # a socket made by a patched process comes non-blocking
    pipeline = Pipeline(runtime, model)
    limit_memory(max_pixels)
    keep_what_exists()
    MemoryTrimmer().start()
    framing.send(end, framing.Message(framing.READY_ID, b""))
    file_pipeline = functools.cache(lambda: Pipeline(runtime, model))
    serve(end, pipeline.analyze, lambda job: file_pipeline().analyze(job))


if __name__ == "__main__":
    drop_native_output()
    logging.basicConfig(format="%(asctime)s %(levelname)s worker %(process)d: %(message)s")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the closing socket ends us
    with contextlib.suppress(ConnectionError):  # the server is gone
        main(int(sys.argv[1]), cast(Runtime, sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
