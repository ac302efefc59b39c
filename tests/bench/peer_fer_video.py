"""How long the package fer's own video analysis takes; run by `.venv-peer`'s Python.

`python peer_fer_video.py VIDEO THREADS save|plain` prints {"frames": ..., "seconds": ..., "processor s": ...}
for every frame of the video. `save` is a call as fer's README has it, which also draws and writes each frame
and a video; `plain` turns that off. It uses nothing of this project.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile
import time

WRITING = ("save_frames", "save_video", "annotate_frames", "zip_images")


def main(video: str, threads: int, saves: bool) -> None:
    """Analyze every frame of the video once."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # it asks OpenCV for pressed keys after each frame
    importlib.import_module("cv2").setNumThreads(threads)
    detector = importlib.import_module("fer.fer").FER()
    with tempfile.TemporaryDirectory() as folder:
        reader = importlib.import_module("fer.classes").Video(video, outdir=folder)
        options = dict.fromkeys(WRITING, saves)
        start_s, processor_s = time.perf_counter(), time.process_time()
        rows = reader.analyze(detector, output="pandas", **options)
        seconds, processor_s = time.perf_counter() - start_s, time.process_time() - processor_s
    print(json.dumps({"frames": len(rows), "seconds": seconds, "processor s": processor_s}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3] == "save")
