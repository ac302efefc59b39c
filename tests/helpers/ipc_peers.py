"""Misbehaving workers for tests of the pool: `python -m tests.helpers.ipc_peers BEHAVIOR FILE_DESCRIPTOR`.

They are real processes on a real link; only what they do with an image differs from `webapp.analysis.worker`.
"""

from __future__ import annotations

import os
import socket
import sys
import time

from webapp.analysis.worker import serve
from webapp.errors import BadFrameError
from webapp.ipc import framing
from webapp.protocol import Analysis, Job


def measure(job: Job) -> Analysis:
    """Answers with the length of the picture as its width, so that replies can be told apart."""
    image = job.image
    if image == b"not a picture":
        raise BadFrameError("not a picture")
    if image == b"bug":
        raise RuntimeError("a defect of the pipeline")
    if image == b"die":
        os._exit(1)
    if image == b"hang":
        time.sleep(60)
    if image.startswith(b"slow"):
        time.sleep(0.3)
    return Analysis(len(image), os.getpid(), (), {"decode": 1.0})


def main(behaviour: str, file_descriptor: int) -> None:
    end = socket.socket(fileno=file_descriptor)
    end.setblocking(True)
    if behaviour == "never ready":
        time.sleep(60)
    framing.send(end, framing.Message(framing.READY_ID, b""))
    serve(end, measure)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
