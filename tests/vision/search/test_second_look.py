from __future__ import annotations

import itertools
from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from models.train.frames import framed
from tests.train.data_files import astronaut_face, serious_face
from tests.vision.images import WITHOUT_FACES, ImageArray, astronaut, overlap, shipped
from webapp.config import Settings
from webapp.protocol import Box, Job, Region
from webapp.vision.detect import SHORT_RANGE, FaceDetector
from webapp.vision.landmarks import FaceLandmarker
from webapp.vision.pipeline import Pipeline
from webapp.vision.search.second_look import (
    MIN_EVIDENCE_NEAR,
    Detectors,
    candidates,
    evidence,
    verified,
    views,
)

PORTRAITS = (astronaut_face(), serious_face())


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return Pipeline("litert", Settings().model_path)


def jpeg(image: ImageArray) -> bytes:
    return bytes(cv2.imencode(".jpg", image)[1])


def found_before_and_after(pipeline: Pipeline, images: Sequence[ImageArray]) -> tuple[int, int]:
    """In how many of these images the face is found without and with a second look."""
    files = [jpeg(image) for image in images]
    return (
        sum(len(pipeline.find(Job(file, second_look=False))) for file in files),
        sum(len(pipeline.find(Job(file))) for file in files),
    )


def noisy(image: ImageArray, deviation: float, seed: int) -> ImageArray:
    noise = np.random.default_rng(seed).normal(0, deviation, (*image.shape[:2], 1))
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def test_small_faces_in_one_image_are_found(pipeline: Pipeline) -> None:
    small = [framed(face, side) for face in PORTRAITS for side in (16, 20, 24)]
    assert found_before_and_after(pipeline, small) == (0, 6)


def test_faces_in_heavy_noise_are_found(pipeline: Pipeline) -> None:
    images = [noisy(framed(face), 70, seed) for face in PORTRAITS for seed in range(3)]
    before, after = found_before_and_after(pipeline, images)
    assert before < len(images)
    assert after == len(images)


def test_small_faces_in_the_dark_are_found(pipeline: Pipeline) -> None:
    dark = [noisy((0.4 * framed(face, 24)).astype(np.uint8), 2, seed=0) for face in PORTRAITS]
    assert found_before_and_after(pipeline, dark) == (0, 2)


def test_all_small_faces_of_an_image_are_found(pipeline: Pipeline) -> None:
    image = np.full((480, 640, 3), 110, np.uint8)
    truths = [Box(60, 60, 26, 26), Box(300, 200, 26, 26), Box(560, 380, 26, 26)]
    for truth, face in zip(truths, (*PORTRAITS, PORTRAITS[0]), strict=True):
        small = cv2.resize(face, (30, 30), interpolation=cv2.INTER_AREA)[..., None]
        image[int(truth.y) : int(truth.y) + 30, int(truth.x) : int(truth.x) + 30] = small
    assert pipeline.find(Job(jpeg(image), second_look=False)) == []
    faces = pipeline.analyze(Job(jpeg(image))).faces
    assert len(faces) == len(truths)
    assert all(overlap(face.box, truth) > 0.5 for face, truth in zip(faces, truths, strict=True))


def test_an_image_with_a_face_gets_no_second_look(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Pipeline, "_look_again", None)  # calling it would be an error
    image = jpeg(astronaut())
    (face,) = pipeline.analyze(Job(image)).faces
    tracked = Job(image, (face.region.scaled(1 / 512),), detect=False)
    assert len(pipeline.analyze(tracked).faces) == 1


def test_a_tracked_face_that_is_lost_gets_one(pipeline: Pipeline) -> None:
    image = jpeg(framed(astronaut_face(), 24))
    elsewhere = (Region(0.2, 0.2, 0.1, 0.0),)
    assert pipeline.find(Job(image, elsewhere, detect=False, second_look=False)) == []
    assert len(pipeline.find(Job(image, elsewhere, detect=False))) == 1


@pytest.mark.parametrize("name", WITHOUT_FACES)
def test_what_the_detectors_suspect_in_other_things_is_refused(name: str) -> None:
    landmarker, detectors = FaceLandmarker(), Detectors(FaceDetector(), FaceDetector(SHORT_RANGE))
    image = shipped(name)
    suspected = itertools.chain.from_iterable(candidates(image, [detectors]))
    assert all(verified(landmarker, image, *candidate) is None for candidate in suspected)


def test_a_face_is_verified_where_it_is_and_not_beside() -> None:
    landmarker, image = FaceLandmarker(), astronaut()
    (detection,) = FaceDetector().detect(image)
    found = verified(landmarker, image, detection, MIN_EVIDENCE_NEAR)
    assert found is not None and found.presence > 0.99
    assert verified(landmarker, image, detection.shifted(200, 250), MIN_EVIDENCE_NEAR) is None


@pytest.mark.parametrize("size", [(480, 640), (1080, 1920), (90, 120), (640, 480)])
def test_views_map_back_to_the_image(size: tuple[int, int]) -> None:
    """A white dot of the image lies in each view where the view's map says, if it lies there at all."""
    dot_x, dot_y, radius = 0.3 * size[1], 0.4 * size[0], max(size) // 40
    image = np.zeros((*size, 3), np.uint8)
    cv2.circle(image, (round(dot_x), round(dot_y)), radius, (255, 255, 255), -1)
    seen = 0
    for view in itertools.chain.from_iterable(views(image)):
        ys, xs = np.nonzero(view.pixels[..., 0] > 127)
        height, width = view.pixels.shape[:2]
        if len(xs) and xs.min() > 0 and xs.max() < width - 1 and ys.min() > 0 and ys.max() < height - 1:
            seen += 1
            assert view.x + view.scale * (xs.mean() + 0.5) == pytest.approx(dot_x, abs=2 * view.scale)
            assert view.y + view.scale * (ys.mean() + 0.5) == pytest.approx(dot_y, abs=2 * view.scale)
    assert seen >= 2


def test_evidence_adds_the_detectors_logit_to_the_mean_of_the_meshs() -> None:
    assert evidence(0.5, (0.5, 0.5, 0.5)) == 0  # neither for nor against
    assert evidence(0.5, (0.9, 0.5, 0.1)) == pytest.approx(0)
    assert evidence(0.25, (0.75, 0.75)) == pytest.approx(0)
    assert evidence(0.5, (1.0, 1.0)) == 20
    assert evidence(0.5, (0.0, 0.0)) == -20
