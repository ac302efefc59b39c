"""A worker process: reads a picture from its link, analyses it, writes what it found.

The engine starts it as `python -m webapp.analysis.worker FILE_DESCRIPTOR RUNTIME MODEL`; it ends when the
link closes. Workers keep no state between pictures and never write one anywhere.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

from webapp.config import Runtime
from webapp.errors import FrameError, UnavailableError
from webapp.ipc import framing
from webapp.protocol import Analysis, Job

logger = logging.getLogger(__name__)

Analyze = Callable[[Job], Analysis]


def serve(end: socket.socket, analyze: Analyze) -> None:
    """Answer jobs one after another until the server closes its end."""
    while (message := framing.receive(end)) is not None:
        outcome = _outcome(analyze, framing.unpack_job(message.payload))
        framing.send(end, framing.Message(message.request_id, framing.pack_outcome(outcome)))


def _outcome(analyze: Analyze, job: Job) -> framing.Outcome:
    try:
        return analyze(job)
    except FrameError as problem:
        return problem
    except Exception:  # noqa: BLE001 - one frame must not end the worker; the log has the cause
        logger.exception("a picture of %d bytes could not be analysed", len(job.image))
        return UnavailableError("This picture could not be analysed; the server's log says why.")


def main(file_descriptor: int, runtime: Runtime, model: Path) -> None:
    """Load the models, report ready, serve."""
    from webapp.vision.pipeline import Pipeline  # here, so that importing this module stays cheap

    end = socket.socket(fileno=file_descriptor)
    end.setblocking(True)  # a socket made by a patched process comes non-blocking
    pipeline = Pipeline(runtime, model)
    framing.send(end, framing.Message(framing.READY_ID, b""))
    serve(end, pipeline.analyze)


if __name__ == "__main__":
    logging.basicConfig(format="%(asctime)s %(levelname)s worker %(process)d: %(message)s")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the closing link ends us
    with contextlib.suppress(ConnectionError):  # the server is gone
        main(int(sys.argv[1]), cast(Runtime, sys.argv[2]), Path(sys.argv[3]))
