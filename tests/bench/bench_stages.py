"""How long each stage takes on one core: `python -m tests.bench.bench_stages`.

What counts is the whole pipeline over what no code of this project can save: the bare runs of the networks
and the decoding of the JPEG. A face is either found, by the detector, or followed, without it.
"""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.bench.measure import Timing, print_table, timed
from tests.bench.report import Goal, Row, print_goals, print_rows, write_json
from tests.bench.scenes import WIDTH, moving_faces
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

FACES = (1, 4)


@dataclass(frozen=True, slots=True)
class Bare:
    """What the pipeline cannot do without, in milliseconds: OpenCV's decoder and the bare networks."""

    decode_ms: float
    detector_ms: float
    mesh_ms: float
    classifier_ms: float

    def frame_ms(self, faces: int, detect: bool) -> float:
        """The least that a frame with so many faces can take."""
        return self.decode_ms + detect * self.detector_ms + faces * (self.mesh_ms + self.classifier_ms)


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
    """The parts of `Bare`, ready to run, in its order."""
    data = np.frombuffer(image, np.uint8)
    detector, mesh = Network(read_model(FACE_DETECTOR)), Network(read_model(FACE_MESH))
    return {
        "bare decoding": lambda: cv2.imdecode(data, cv2.IMREAD_COLOR),
        "bare run of the face detector": detector.run,
        "bare run of the face mesh": mesh.run,
        "bare run of the classifier": Network(model).run,
    }


def whole(pipeline: Pipeline, image: bytes, faces: int) -> dict[str, Timing]:
    """The whole pipeline on a picture whose faces are to be found, and followed."""
    found = pipeline.analyze(Job(image))
    assert len(found.faces) == faces, f"{len(found.faces)} of {faces} faces were found"
    regions = tuple(face.region.scaled(1 / found.width) for face in found.faces)
    jobs = {"found": Job(image), "followed": Job(image, regions, detect=False)}
    return {name: timed(name, functools.partial(pipeline.analyze, job)) for name, job in jobs.items()}


def against_limit(wholes: dict[int, dict[str, Timing]], limits: dict[int, Bare]) -> list[Row]:
    """A line for each number of faces, found and followed: the pipeline, its limit and their ratio."""
    rows: list[Row] = []
    for faces, timings in wholes.items():
        for name, timing in timings.items():
            limit_ms = limits[faces].frame_ms(faces, detect=name == "found")
            rows.append(
                {
                    "faces": faces,
                    "are": name,
                    "pipeline ms": timing.median_ms,
                    "limit ms": limit_ms,
                    "ratio": timing.median_ms / limit_ms,
                    "over one face": timing.median_ms / wholes[1][name].median_ms,
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
    pipeline = Pipeline("litert", model)
    limits, wholes = {}, {}
    for faces, image in images.items():
        floor = _timed_all(bare(image, model))
        limits[faces] = Bare(*(timing.median_ms for timing in floor))
        wholes[faces] = whole(pipeline, image, faces)
    size = f"{WIDTH} pixels wide, {len(images[1]) / 1000:.0f} kB of JPEG, one core"
    print_table(f"Stages: {size}", [*floor, *parts])
    rows = against_limit(wholes, limits)
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
