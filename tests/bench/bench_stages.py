"""How long each stage takes on one core: `python -m tests.bench.bench_stages`.

The last line is what counts: the whole pipeline over what no code of this project can save, the bare runs of
the networks and the decoding of the JPEG.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray

from tests.bench.measure import Timing, print_table, timed
from webapp.config import Settings
from webapp.messages import Job
from webapp.vision.align import align
from webapp.vision.classify import load_classifier
from webapp.vision.decode import decode
from webapp.vision.detect import FaceDetector
from webapp.vision.landmarks import FaceLandmarker
from webapp.vision.model_files import FACE_DETECTOR, FACE_MESH, read_model
from webapp.vision.network import Network
from webapp.vision.pipeline import Pipeline
from webapp.vision.polylines import polylines
from webapp.vision.pose import head_pose


def camera_frame() -> NDArray[np.uint8]:
    """A 640 x 480 frame with one face of 150 pixels."""
    portrait = cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR)
    return np.asarray(cv2.resize(portrait[:320, :427], (640, 480)), np.uint8)


def stages(picture: NDArray[np.uint8], image: bytes, model: Path) -> dict[str, Callable[[], object]]:
    """Each stage by its name, ready to run on this picture."""
    detector, landmarker = FaceDetector(), FaceLandmarker()
    classifier = load_classifier("litert", model)
    detection = detector.detect(picture)[0]
    points, depth, _ = landmarker.landmarks(picture, detection)
    crops = align(picture, points)[None]
    return {
        "decode": lambda: decode(image),
        "detect": lambda: detector.detect(picture),
        "landmarks, one face": lambda: landmarker.landmarks(picture, detection),
        "pose and lines, one face": lambda: (head_pose(points, depth), polylines(points)),
        "align, one face": lambda: align(picture, points),
        "classify, one face": lambda: classifier.probabilities(crops),
    }


def bare(image: bytes, model: Path) -> dict[str, Callable[[], object]]:
    """What the stages cannot do without: the bare networks and OpenCV's decoder."""
    data = np.frombuffer(image, np.uint8)
    networks = [
        Network(read_model(FACE_DETECTOR)),
        Network(read_model(FACE_MESH)),
        Network(model),
    ]
    return {
        "bare decoding": lambda: cv2.imdecode(data, cv2.IMREAD_COLOR),
        "bare run of the face detector": networks[0].run,
        "bare run of the face mesh": networks[1].run,
        "bare run of the classifier": networks[2].run,
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Settings().model_path, help="a .tflite classifier")
    model = parser.parse_args().model
    cv2.setNumThreads(1)
    picture = camera_frame()
    image = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()
    floor = _timed_all(bare(image, model))
    parts = _timed_all(stages(picture, image, model))
    pipeline = Pipeline("litert", model)
    whole = timed("whole pipeline", lambda: pipeline.analyze(Job(image)))
    print_table(f"640 x 480, {len(image) / 1000:.0f} kB of JPEG, one face, one core", [*floor, *parts, whole])
    ratio = whole.median_ms / sum(timing.median_ms for timing in floor)
    print(f"{'whole pipeline / sum of the bare runs':44}{ratio:12.2f}")


def _timed_all(calls: dict[str, Callable[[], object]]) -> list[Timing]:
    return [timed(name, call) for name, call in calls.items()]


if __name__ == "__main__":
    main()
