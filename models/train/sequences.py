"""Measures how frames are fused over time: `python -m models.train.sequences --data DIR`.

Each sequence shows one labelled face of `validation` and then one with another label, in the same place, as
if a person changed expression; `moving_faces` makes the frames. They go through the server's own pipeline
and tracker, and what these find is fused in each of the ways of `fusions`. Frames in which no face is found
count nowhere. What is measured, of the first face's frames unless it says otherwise:

    accuracy, recall    against the label; recall is the mean over the expressions, and accuracy their mean
                        weighted with how often each occurs in the split
    as clean            of both faces' frames, named as the network names the same face without faults
    distance            from the probabilities of the face without faults, in total variation
    log loss            of the label, in nats
    flicker             changes of the named expression per second
    delay               ms from the change of faces until the second face's name is shown, which is what most
                        of its single frames name; the rest of the sequence where it never is shown, and not
                        counted where most frames of the first face have the same name
    clean delay         the same in sequences without faults

`--observed FILE` keeps what the server found, which takes minutes, and reads it the next time.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from models.train.data import FaceSet, read_split
from models.train.faces import DEFAULT_DATA
from models.train.frames import HEIGHT, WIDTH
from models.train.fusion_scores import Figures, fuse, measure
from models.train.fusions import BEFORE, FUSIONS, SERVED, Fusion, Observation, Observed
from models.train.intervals import Interval, bootstrap
from models.train.moving_faces import Moment, encoded_frame, moments
from webapp.analysis.detection_scheduler import DetectionScheduler
from webapp.analysis.tracker import Tracker
from webapp.config import Settings
from webapp.protocol import LABELS, Box, Face, Job
from webapp.vision.classify import Classifier, load_classifier
from webapp.vision.pipeline import Pipeline
from webapp.vision.search.found import FoundFace

FIRST_FRAMES, SECOND_FRAMES = 15, 12
RATES = (10, 15)
"""Frames per second."""

OBSERVED_RATE = 12.5
"""The rate at which the frames come while they are observed."""

PER_EXPRESSION = 28
"""Half of the validation faces that show disgust."""

SEED = 7


@dataclass(frozen=True, slots=True)
class Plan:
    """A sequence to be made: two (48, 48) faces, and whether with faults; `number` seeds it."""

    number: int
    faces: tuple[NDArray[np.uint8], NDArray[np.uint8]]
    labels: tuple[int, int]
    faulty: bool


def plan(faces: FaceSet, per_expression: int, faulty: bool, seed: int = SEED) -> list[Plan]:
    """Sequences of distinct first faces, as many of each expression, in random order.

    The second face of each is the first of another, with another label.
    """
    random = np.random.default_rng(seed)
    known = [np.flatnonzero(faces.labels == label) for label in range(len(LABELS))]
    first = np.concatenate([random.permutation(of)[:per_expression] for of in known])
    second = random.permutation(first)
    while (same := faces.labels[first] == faces.labels[second]).any():
        second[same] = random.choice(first, same.sum())
    return [
        Plan(
            number,
            (faces.images[one], faces.images[other]),
            (int(faces.labels[one]), int(faces.labels[other])),
            faulty,
        )
        for number, (one, other) in enumerate(zip(first, second, strict=True))
    ]


def observe(planned: Plan) -> Observed:
    """Make the frames of a sequence, and let the server find and track the face in them."""
    random = np.random.default_rng((planned.number, planned.faulty))
    camera, moment = _Camera(), moments(random, planned.faulty)
    shown = [planned.faces[0]] * FIRST_FRAMES + [planned.faces[1]] * SECOND_FRAMES
    frames = [camera.observe(encoded_frame(face, next(moment), random)) for face in shown]
    first, second = (_clean_probabilities(face) for face in planned.faces)
    return Observed(planned.labels, (first, second), frames)


class _Camera:
    """Searches each frame as `FrameSession` does while the workers have no spare capacity."""

    def __init__(self) -> None:
        self._tracker, self._scheduler = Tracker(smoothing_s=0.0), DetectionScheduler()
        self._now_s = 0.0

    def observe(self, image: bytes) -> Observation | None:
        """The face nearest to the center of the next frame."""
        self._now_s += 1 / OBSERVED_RATE
        regions = self._tracker.regions(self._now_s)
        search = self._scheduler.next_detection(self._now_s, bool(regions), has_spare_capacity=False)
        found = _pipeline().find(Job(image, regions, *search))
        tracked = self._tracker.update([_face(of) for of in found], self._now_s, WIDTH)
        faces = zip(tracked, found, strict=True)
        nearest = min(faces, key=lambda pair: _from_center(pair[0].box), default=None)
        return _observation(*nearest) if nearest else None


def _face(found: FoundFace) -> Face:
    (left, top), (right, bottom) = found.corners.tolist()
    box = Box(left, top, right - left, bottom - top)
    row = _classifier().probabilities(found.crop[None])[0].tolist()
    raw = dict(zip(LABELS, row, strict=True))
    return Face(box, found.region, found.score, found.landmarks, found.pose, raw, raw)


def _observation(face: Face, found: FoundFace) -> Observation:
    sharpness = cv2.Laplacian(found.crop, cv2.CV_32F).std() / max(1.0, found.crop.std())
    raw = dict(face.raw_probabilities)
    return Observation(face.id, raw, face.score, float(sharpness), face.box.width, face.pose.yaw)


def _clean_probabilities(face: NDArray[np.uint8]) -> list[float]:
    found = _Camera().observe(encoded_frame(face, Moment(), np.random.default_rng(0)))
    return [found.raw[label] if found else float("nan") for label in LABELS]


def _from_center(box: Box) -> float:
    return float(np.linalg.norm(np.subtract(box.center, (WIDTH / 2, HEIGHT / 2))))


@cache
def _pipeline() -> Pipeline:
    return Pipeline("litert", Settings().model_path)


@cache
def _classifier() -> Classifier:
    return load_classifier("litert", Settings().model_path)


def observe_all(faces: FaceSet, per_expression: int) -> dict[bool, list[Observed]]:
    """The sequences with faults (true) and without (false)."""
    plans = [of for faulty in (True, False) for of in plan(faces, per_expression, faulty)]
    with multiprocessing.get_context("spawn").Pool() as pool:
        observed = list(tqdm(pool.imap(observe, plans, chunksize=4), total=len(plans), unit="sequence"))
    half = len(plans) // 2
    return {True: observed[:half], False: observed[half:]}


def read_observed(file: Path) -> dict[bool, list[Observed]]:
    """What `write_observed` wrote."""

    def observed(of: dict[str, Any]) -> Observed:
        frames = [frame and Observation(**frame) for frame in of["frames"]]
        return Observed(tuple(of["labels"]), tuple(of["clean"]), frames)

    kept = json.loads(file.read_text())
    return {faulty: [observed(of) for of in kept[str(faulty)]] for faulty in (True, False)}


def write_observed(observed: dict[bool, list[Observed]], file: Path) -> None:
    """Keep what was observed, as JSON."""
    rows = {str(faulty): [asdict(of) for of in sequences] for faulty, sequences in observed.items()}
    file.write_text(json.dumps(rows))


def line(observed: dict[bool, list[Observed]], fusion: Fusion, frequencies: NDArray[np.float64]) -> str:
    """A row of the table: the figures of one way, each at both RATES."""
    faulty, faultless = (
        [measure(fuse(observed[kind], FIRST_FRAMES, fusion, rate), frequencies) for rate in RATES]
        for kind in (True, False)
    )
    cells = [*_cells(faulty), " / ".join(f"{of.delay_ms:.0f}" for of in faultless)]
    return f"| {fusion.title} | " + " | ".join(cells) + " |"


def _cells(figures: list[Figures]) -> list[str]:
    def cell(name: str, form: str) -> str:
        return " / ".join(format(getattr(of, name), form) for of in figures)

    forms = {"accuracy": ".1%", "recall": ".1%", "as_clean": ".1%"}
    numbers = {"distance": ".3f", "log_loss": ".3f", "flicker": ".2f", "delay_ms": ".0f"}
    return [cell(name, form) for name, form in (forms | numbers).items()]


def difference(
    sequences: list[Observed], frequencies: NDArray[np.float64], rate: float
) -> dict[str, tuple[float, Interval]]:
    """What SERVED has more of each figure than BEFORE, with 95% bootstrap intervals over the sequences."""
    served, before = (fuse(sequences, FIRST_FRAMES, of, rate) for of in (SERVED, BEFORE))

    def gain(drawn: NDArray[np.intp]) -> dict[str, float]:
        return measure(served.take(drawn), frequencies).minus(measure(before.take(drawn), frequencies))

    intervals = bootstrap(len(sequences), gain)
    return {name: (value, intervals[name]) for name, value in gain(np.arange(len(sequences))).items()}


def main() -> None:
    """Observe, fuse, and print the table."""
    parser = argparse.ArgumentParser(description="Compare ways to fuse the frames of a face over time.")
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, help="folder of sheets, or fer2013.csv")
    parser.add_argument("--per-expression", type=int, default=PER_EXPRESSION, help="first faces of each")
    parser.add_argument("--observed", type=Path, help="where to keep what the server found")
    chosen = parser.parse_args()
    faces = read_split(chosen.data, "validation")
    if chosen.observed and chosen.observed.is_file():
        observed = read_observed(chosen.observed)
    else:
        observed = observe_all(faces, chosen.per_expression)
        if chosen.observed:
            write_observed(observed, chosen.observed)
    counts = np.bincount(faces.labels[faces.labels >= 0], minlength=len(LABELS))
    report(observed, counts / counts.sum())


def report(observed: dict[bool, list[Observed]], frequencies: NDArray[np.float64]) -> None:
    """Print how many faces were found, a row for each way, and what is gained."""
    for faulty, sequences in observed.items():
        found = np.mean([frame is not None for of in sequences for frame in of.frames])
        print(
            f"{len(sequences)} sequences {'with' if faulty else 'without'} faults, face found in {found:.1%}"
        )
    print("way, at each of", RATES, "frames/s:", *Figures.__slots__, "clean_delay_ms")
    for fusion in FUSIONS:
        print(line(observed, fusion, frequencies))
    for rate in RATES:
        print(f"served less time only, at {rate} frames/s, with 95% intervals over the sequences:")
        for name, (value, (low, high)) in difference(observed[True], frequencies, rate).items():
            print(f"  {name:>9} {value:+.4f} ({low:+.4f} to {high:+.4f})")


if __name__ == "__main__":
    main()
