"""How many images a second the package fer reads, in this one process; run by `.venv-peer`'s Python.

`python peer_fer.py FOLDER SECONDS THREADS` prints {"frames": ..., "seconds": ..., "faces": ...}. It
uses nothing of this project. Each image is decoded from its JPEG, as a server would.
"""

from __future__ import annotations

import importlib
import itertools
import json
import sys
import time
from pathlib import Path

WARM_UP_FRAMES = 10


def main(folder: Path, seconds: float, threads: int) -> None:
    """Read the folder's JPEGs in turn for so many seconds."""
    cv2 = importlib.import_module("cv2")
    numpy = importlib.import_module("numpy")
    cv2.setNumThreads(threads)
    reader = importlib.import_module("fer.fer").FER()
    images = [numpy.frombuffer(path.read_bytes(), numpy.uint8) for path in sorted(folder.glob("*.jpg"))]
    frames = faces = 0
    start_s = time.perf_counter()
    for number, image in enumerate(itertools.cycle(images)):
        if number == WARM_UP_FRAMES:
            frames, faces, start_s = 0, 0, time.perf_counter()
        faces += len(reader.detect_emotions(cv2.imdecode(image, cv2.IMREAD_COLOR)))
        frames += 1
        if number > WARM_UP_FRAMES and time.perf_counter() - start_s >= seconds:
            break
    print(json.dumps({"frames": frames, "seconds": time.perf_counter() - start_s, "faces": faces}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
