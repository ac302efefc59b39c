"""A vision worker as a child process: its command, its environment and its limits."""

from __future__ import annotations

import sys

from webapp.config import Settings, child_environment
from webapp.ipc.child_process import ChildSpec
from webapp.ipc.job_codec import MAX_REPLY_BYTES
from webapp.protocol import MAX_IMAGE_PIXELS

JOB_TIMEOUT_S = 3.0
"""A worker that takes this long over a frame hangs; a frame takes some 10 ms."""

FILE_TIMEOUT_S = 120.0
"""The same for an image file: 48 megapixels take two seconds, and ten times as long on a core that is busy
with frames."""

START_TIMEOUT_S = 60.0
"""Loading Keras can take ten seconds, LiteRT one."""

STABLE_AFTER_S = 1.0
"""A frame that crashes workers reaches the next one at once, and makes the pauses grow; a worker that ran for
a second is replaced without one."""

LIBRARY_PREFIXES = ("OMP_", "TF_", "XLA_", "KERAS_", "CUDA_", "NVIDIA_")

WORKER_VARIABLES = {
    # Lets glibc reuse a worker's memory for the next image instead of asking the system for new pages:
    # decoding 1280 x 720 pixels takes 2.0 ms, with fresh pages 6.0. Twice a minute `MemoryTrimmer` returns
    # what is unused.
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(64 << 20),
}


def worker_spec(settings: Settings) -> ChildSpec:
    """How to run a worker with the model that the settings name."""
    max_pixels = max(MAX_IMAGE_PIXELS, settings.max_file_pixels)
    return ChildSpec(
        name="worker",
        command=(
            *(sys.executable, "-m", "webapp.analysis.worker", "{link}"),
            *(settings.runtime, str(settings.model_path), str(max_pixels)),
        ),
        environment={
            **child_environment(LIBRARY_PREFIXES),
            **WORKER_VARIABLES,
            # OpenCV reads this when it is imported. It is the last line of defense: `vision.headers` rejects
            # larger images.
            "OPENCV_IO_MAX_IMAGE_PIXELS": str(max_pixels),
        },
        start_timeout_s=START_TIMEOUT_S,
        max_reply_bytes=MAX_REPLY_BYTES,
        stable_after_s=STABLE_AFTER_S,
    )
