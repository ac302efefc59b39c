from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.faults.memory import resident_mb
from tests.helpers.waiting import wait_until
from tests.vision.hostile_images import good_files, hidden_header, jpeg_parts, png_chunk, png_parts
from webapp.analysis.worker import HEADROOM_BYTES
from webapp.analysis.worker_pool import WorkerPool
from webapp.analysis.worker_process import worker_spec
from webapp.config import PROJECT_ROOT, Settings
from webapp.errors import BadFrameError
from webapp.ipc.memory import TRIM_INTERVAL_S
from webapp.protocol import Job


def hostile_jpeg() -> bytes:
    """Says 48 x 32 pixels, and to a decoder that ignores FF 00, 20,000 x 20,000."""
    parts = jpeg_parts(good_files()["jpeg"])
    return b"".join([parts[0], hidden_header(parts, 0x00, (20_000, 20_000)), *parts[1:]])


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    pool = WorkerPool(worker_spec(Settings()), workers=1)
    pool.start()
    wait_until(lambda: pool.ready, timeout_s=60.0)
    yield pool
    pool.stop()


def worker_pid(pool: WorkerPool) -> int:
    pid = pool._workers[0].supervisor.pid
    assert pid is not None
    return pid


def test_a_picture_with_a_hidden_header_costs_nothing_but_its_frame(pool: WorkerPool) -> None:
    before = worker_pid(pool)
    with pytest.raises(BadFrameError):
        pool.analyze(Job(hostile_jpeg()), "attacker")
    assert pool.analyze(Job(good_files()["jpeg"]), "neighbour").width == 48
    assert worker_pid(pool) == before


def test_libraries_print_nothing_into_the_log_and_a_crash_says_where(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """libpng would print a line for each of these chunks, whose checksums are wrong."""
    parts = png_parts(good_files()["png"])
    damaged = b"".join([*parts[:2], 1000 * (png_chunk(b"tEXt", b"a\0")[:-4] + bytes(4)), *parts[2:]])
    pool = WorkerPool(worker_spec(Settings()), workers=1)
    pool.start()
    try:
        wait_until(lambda: pool.ready, timeout_s=60.0)
        assert pool.analyze(Job(damaged), "attacker").width == 48
        os.kill(worker_pid(pool), signal.SIGSEGV)
        wait_until(lambda: pool._workers[0].supervisor.restarts)
    finally:
        pool.stop()
    printed = capfd.readouterr().err  # once, as what is written while it is read is lost
    assert "Segmentation fault" in printed and "in serve" in printed
    assert "libpng" not in printed


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="other C libraries keep memory in their own ways"
)
def test_a_worker_gives_the_memory_of_a_large_image_back(pool: WorkerPool) -> None:
    """Without that it keeps some 26 MB."""
    large = cv2.imencode(".png", np.zeros((1900, 2000, 3), np.uint8))[1].tobytes()
    pool.analyze(Job(good_files()["jpeg"]), "warm-up")
    before_mb = resident_mb(worker_pid(pool))
    assert pool.analyze(Job(large), "client").width == 2000
    wait_until(lambda: resident_mb(worker_pid(pool)) < before_mb + 8, timeout_s=4 * TRIM_INTERVAL_S)


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is set on Linux only")
def test_the_memory_of_a_worker_is_limited(pool: WorkerPool) -> None:
    process = Path(f"/proc/{worker_pid(pool)}")
    (line,) = [
        line for line in (process / "limits").read_text().splitlines() if line.startswith("Max address space")
    ]
    limit = int(line.split()[3])
    mapped = int((process / "statm").read_text().split()[0]) * 4096
    assert mapped < limit < mapped + 2 * HEADROOM_BYTES


DECODE_UNCHECKED = """
import sys, cv2, numpy
try:
    pixels = cv2.imdecode(numpy.frombuffer(sys.stdin.buffer.read(), numpy.uint8), cv2.IMREAD_COLOR)
except cv2.error as error:
    print("refused" if "pixels" in str(error).lower() else error)
else:
    print(None if pixels is None else pixels.shape)
"""


def test_in_a_workers_environment_opencv_itself_refuses_too_many_pixels() -> None:
    """The second line, where our own reader of headers is misled."""
    environment = dict(worker_spec(Settings()).environment)
    run = subprocess.run(
        [sys.executable, "-c", DECODE_UNCHECKED],
        cwd=PROJECT_ROOT, env=environment, input=hostile_jpeg(), capture_output=True, check=True,
    )  # fmt: skip
    assert run.stdout.strip() == b"refused", run.stderr
