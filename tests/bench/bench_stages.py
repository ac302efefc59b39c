"""How long each stage takes on one core: `python -m tests.bench.bench_stages`.

What counts is the whole pipeline over what no code of this project can save: the bare runs of the networks
and the decoding of the JPEG. A face is either found, by the detector, or followed, without it.
"""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.bench.measure import Timing, print_table, timed, timed_in_turn
from tests.bench.report import Goal, Row, print_goals, print_rows, write_json
from tests.helpers.scenes import WIDTH, moving_faces
from webapp.config import Settings
from webapp.protocol import Job
from webapp.vision.align import align
from webapp.vision.classify import load_classifier
from webapp.vision.decode import decode
from webapp.vision.detect import FaceDetector
from webapp.vision.landmarks import FaceLandmarker
from webapp.vision.model_files import FACE_DETECTOR, FACE_MESH, read_model
from webapp.vision.pipeline import Pipeline
from webapp.vision.polylines import polylines
from webapp.vision.pose import head_pose
from webapp.vision.tflite_model import TFLiteModel

FACES = (1, 4)


def stages(pixels: NDArray[np.uint8], image: bytes, model: Path) -> dict[str, Callable[[], object]]:
    """Each stage by its name, ready to run on this image."""
    detector, landmarker = FaceDetector(), FaceLandmarker()
    classifier = load_classifier("litert", model)
    detection = detector.detect(pixels)[0]
    points, depth, *_ = landmarker.landmarks(pixels, detection)
    crops = align(pixels, points)[None]
    return {
        "decode": lambda: decode(image),
        "detect": lambda: detector.detect(pixels),
        "landmarks, one face": lambda: landmarker.landmarks(pixels, detection),
        "pose and lines, one face": lambda: (head_pose(points, depth), polylines(points)),
        "align, one face": lambda: align(pixels, points),
        "classify, one face": lambda: classifier.probabilities(crops),
    }


class Bare:
    """What the pipeline cannot do without: OpenCV's decoder and the bare networks."""

    def __init__(self, image: bytes, model: Path) -> None:
        self._data = np.frombuffer(image, np.uint8)
        self._detector, self._mesh = (
            TFLiteModel(read_model(FACE_DETECTOR)),
            TFLiteModel(read_model(FACE_MESH)),
        )
        self._classifier = TFLiteModel(model)

    def parts(self) -> dict[str, Callable[[], object]]:
        """Each by its name, ready to run."""
        return {
            "bare decoding": self._decode,
            "bare run of the face detector": self._detector.run,
            "bare run of the face mesh": self._mesh.run,
            "bare run of the classifier": self._classifier.run,
        }

    def frame(self, faces: int, detect: bool) -> None:
        """The least that a frame with so many faces takes."""
        self._decode()
        if detect:
            self._detector.run()
        for _ in range(faces):
            self._mesh.run()
        for _ in range(faces):
            self._classifier.run()

    def _decode(self) -> object:
        return cv2.imdecode(self._data, cv2.IMREAD_COLOR)


def against_limit(pipeline: Pipeline, image: bytes, bare: Bare, faces: int) -> list[Row]:
    """The pipeline, its limit and their ratio, for faces that are to be found and that are followed.

    Both run in turn: a network that has the caches for itself is a tenth faster.
    """
    found = pipeline.analyze(Job(image))
    assert len(found.faces) == faces, f"{len(found.faces)} of {faces} faces were found"
    regions = tuple(face.region.scaled(1 / found.width) for face in found.faces)
    rows: list[Row] = []
    for name, job in {"found": Job(image), "followed": Job(image, regions, detect=False)}.items():
        whole, limit = timed_in_turn(
            {
                "pipeline": functools.partial(pipeline.analyze, job),
                "limit": functools.partial(bare.frame, faces, job.detect),
            }
        )
        ratio = whole.median_ms / limit.median_ms
        rows.append(
            {
                "faces": faces,
                "are": name,
                "pipeline ms": whole.median_ms,
                "limit ms": limit.median_ms,
                "ratio": ratio,
            }
        )
    return rows


def main(arguments: Sequence[str] = ()) -> list[Goal]:
    """Print the tables; say how near the pipeline is to its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Settings().model_path, help="a .tflite classifier")
    model = parser.parse_args(arguments).model
    cv2.setNumThreads(1)
    images = {faces: moving_faces(faces, count=1)[0] for faces in FACES}
    parts = _timed_all(stages(decode(images[1]).pixels, images[1], model))
    pipeline, bare = Pipeline("litert", model), Bare(images[1], model)
    floor = _timed_all(bare.parts())
    size = f"{WIDTH} pixels wide, {len(images[1]) / 1000:.0f} kB of JPEG, one core"
    print_table(f"Stages: {size}", [*floor, *parts])
    rows = [
        row
        for faces, image in images.items()
        for row in against_limit(pipeline, image, Bare(image, model), faces)
    ]
    print_rows("The pipeline against the bare runs of its networks and of the decoder", rows)
    write_json("stages", rows)
    return [
        Goal(f"pipeline over its limit, one face {row['are']}", float(str(row["ratio"])), 1.2, at_most=True)
        for row in rows
        if row["faces"] == 1
    ]


def _timed_all(calls: dict[str, Callable[[], object]]) -> list[Timing]:
    return [timed(name, call) for name, call in calls.items()]


if __name__ == "__main__":
    import sys

    print_goals(main(sys.argv[1:]))
