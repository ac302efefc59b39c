"""Misbehaving workers for tests of the pool: `python -m tests.helpers.ipc_peers BEHAVIOUR FILE_DESCRIPTOR`.

They are real processes with a real link. The behaviour "measure" speaks as `webapp.analysis.worker` does,
the others break the protocol.
"""

from __future__ import annotations

import itertools
import os
import pickle
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

from webapp.analysis.worker import serve
from webapp.errors import BadFrameError
from webapp.ipc import framing
from webapp.ipc.job_codec import unpack_job
from webapp.protocol import WORKER_STAGES, Analysis, Job

GATED = b"gated by "
JOB_NUMBERS = itertools.count(1)


class Exploit:
    """Runs a command where it is unpickled."""

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {os.environ['TMPDIR']}/unpickled",)


HOSTILE_REPLIES: dict[str, Callable[[int], bytes]] = {
    "garbage": lambda request_id: os.urandom(4000),
    "pickle": lambda request_id: framed(request_id, pickle.dumps(Exploit())),
    "empty reply": lambda request_id: framed(request_id, b""),
    "huge length": lambda request_id: framing.HEADER.pack(0xFFFF_FFFF, request_id),
    "unknown request": lambda request_id: framed(request_id + 1, b"P\x00no"),
    "ready twice": lambda request_id: framed(framing.READY_ID, b""),
    "reply twice": lambda request_id: framed(request_id, b"P\x00no") * 2,
}
"""What is written in answer to a job, by behaviour."""


def framed(request_id: int, payload: bytes) -> bytes:
    return framing.HEADER.pack(len(payload), request_id) + payload


def attack(end: socket.socket, reply: Callable[[int], bytes]) -> None:
    """Answer the job `attack` with a hostile reply, others as "measure" does."""
    while (message := framing.receive(end)) is not None:
        if unpack_job(message.payload).image == b"attack":
            end.sendall(reply(message.request_id))
        else:
            end.sendall(framed(message.request_id, b"P\x00well"))


class Gate:
    """Holds jobs at a worker until it is opened: `pool.analyze(gate.job, owner)` waits for `gate.open()`."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "open"
        self.job = Job(GATED + bytes(self._path))

    def open(self) -> None:
        """Let the jobs that it holds go on, and all that come later."""
        self._path.touch()


def wait_for_gate(image: bytes) -> None:
    path = Path(os.fsdecode(image.removeprefix(GATED)))
    while not path.exists():
        time.sleep(0.005)


def measure(job: Job) -> Analysis:
    """Answers with the length of the image as its width, so that replies can be told apart.

    The height is the process's id, and the time of every stage the number of the job at this worker.
    """
    image = job.image
    number = float(next(JOB_NUMBERS))
    if image == b"not an image":
        raise BadFrameError("not an image")
    if image == b"bug":
        raise RuntimeError("a defect of the pipeline")
    if image == b"die":
        os._exit(1)
    if image == b"hang":
        time.sleep(60)
    if image.startswith(b"slow"):
        time.sleep(0.3)
    if image.startswith(GATED):
        wait_for_gate(image)
    return Analysis(len(image), os.getpid(), (), dict.fromkeys(WORKER_STAGES, number))


def main(behaviour: str, file_descriptor: int) -> None:
    end = socket.socket(fileno=file_descriptor)
    end.setblocking(True)
    if behaviour == "never ready":
        time.sleep(60)
    framing.send(end, framing.Message(framing.READY_ID, b""))
    if behaviour == "silent":
        time.sleep(60)
    if behaviour in HOSTILE_REPLIES:
        attack(end, HOSTILE_REPLIES[behaviour])
    else:
        serve(end, measure, measure)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
