from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.train.frames import framed
from tests.train.data_files import serious_face
from tests.vision.images import FACE, WITHOUT_FACES, ImageArray, astronaut, frame, overlap, shipped
from webapp.config import Runtime
from webapp.errors import BadFrameError, ModelFileError, TooLargeError
from webapp.ipc.job_codec import pack_outcome, unpack_outcome
from webapp.protocol import LABELS, LANDMARK_NAMES, MAX_IMAGE_BYTES, Box, Face, Job, Region
from webapp.vision.detect import FaceDetector
from webapp.vision.pipeline import Pipeline, shrink_for


@pytest.fixture(scope="module")
def pipeline(small_models: dict[str, Path]) -> Pipeline:
    return Pipeline("litert", small_models["float"])


def jpeg(image: ImageArray) -> bytes:
    return bytes(cv2.imencode(".jpg", image)[1])


def test_a_portrait_gives_one_whole_face(pipeline: Pipeline) -> None:
    analysis = pipeline.analyze(Job(jpeg(astronaut())))
    assert (analysis.width, analysis.height) == (512, 512)
    (face,) = analysis.faces
    assert overlap(face.box, FACE) > 0.8
    assert 0.8 < face.score <= 1
    assert tuple(json.loads(face.landmarks)) == LANDMARK_NAMES
    assert tuple(face.probabilities) == LABELS
    assert sum(face.probabilities.values()) == pytest.approx(1)
    assert face.raw_probabilities == face.probabilities
    assert np.abs(face.pose).max() < 5


def test_the_wire_form_holds_only_plain_numbers_and_crosses_the_link(pipeline: Pipeline) -> None:
    analysis = pipeline.analyze(Job(jpeg(astronaut())))
    assert unpack_outcome(pack_outcome(analysis)) == analysis
    face = analysis.faces[0]
    numbers = [*face.box, face.score, *face.pose, *face.probabilities.values()]
    assert {type(number) for number in numbers} == {float}


def test_timing_has_each_stage_and_adds_up(pipeline: Pipeline) -> None:
    timing_ms = pipeline.analyze(Job(jpeg(astronaut()))).timing_ms
    assert list(timing_ms) == ["decode", "detect", "landmarks", "classify"]
    assert all(0 < time_ms < 1000 for time_ms in timing_ms.values())


def test_faces_come_from_left_to_right(pipeline: Pipeline) -> None:
    image, truths = frame((480, 60, 76), (60, 60, 75), (260, 70, 80), (90, 280, 100), (420, 270, 115))
    faces = pipeline.analyze(Job(jpeg(image))).faces
    assert [face.box.x for face in faces] == sorted(face.box.x for face in faces)
    assert len(faces) == len(truths)
    assert all(max(overlap(face.box, truth) for face in faces) > 0.7 for truth in truths)


def test_a_face_that_fills_the_picture_is_found(pipeline: Pipeline) -> None:
    near = astronaut()[60:185, 165:280]
    (face,) = pipeline.analyze(Job(jpeg(np.asarray(cv2.resize(near, (460, 500)), np.uint8)))).faces
    truth = Box(*(4.0 * value for value in (FACE.x - 165, FACE.y - 60, FACE.width, FACE.height)))
    assert overlap(face.box, truth) > 0.75


@pytest.mark.parametrize("name", WITHOUT_FACES)
def test_images_of_other_things_have_no_faces(pipeline: Pipeline, name: str) -> None:
    assert pipeline.analyze(Job(jpeg(shipped(name)))).faces == ()


@pytest.mark.parametrize("seed", range(8))
def test_noise_has_no_faces(pipeline: Pipeline, seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (480, 640, 3)).astype(np.uint8)
    assert pipeline.analyze(Job(jpeg(noise))).faces == ()


def test_no_false_face_appears_beside_real_ones(pipeline: Pipeline) -> None:
    large = cv2.resize(astronaut(), (1900, 1900)).astype(np.uint8)
    assert len(pipeline.analyze(Job(jpeg(large))).faces) == 1


@pytest.mark.parametrize("seed", range(3))
def test_a_near_face_is_found_under_heavy_noise(pipeline: Pipeline, seed: int) -> None:
    near = np.asarray(cv2.resize(astronaut()[:320, 80:400], (480, 480)), np.uint8)
    noise = np.random.default_rng(seed).normal(0, 70, near.shape)
    noisy = np.clip(near + noise, 0, 255).astype(np.uint8)
    (face,) = pipeline.analyze(Job(jpeg(noisy))).faces
    (truth,) = pipeline.analyze(Job(jpeg(near))).faces
    assert overlap(face.box, truth.box) > 0.8


def test_two_detections_of_one_face_give_one_face(
    pipeline: Pipeline, detector: FaceDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    (whole,) = detector.detect(astronaut())
    part = replace(whole, box=Box(whole.box.x + 10, whole.box.y + 40, 50, 50), score=0.4)
    monkeypatch.setattr(FaceDetector, "detect", lambda self, image, min_score=None: [whole, part])
    (face,) = pipeline.analyze(Job(jpeg(astronaut()))).faces
    assert overlap(face.box, FACE) > 0.8


def in_widths(faces: Sequence[Face], width: int) -> tuple[Region, ...]:
    return tuple(face.region.scaled(1 / width) for face in faces)


def test_faces_are_followed_without_detecting_them_again(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, _ = frame((60, 60, 75), (260, 70, 80), (420, 270, 115))
    before = pipeline.analyze(Job(jpeg(image))).faces
    monkeypatch.setattr(FaceDetector, "detect", None)  # calling it would be an error
    shifted = np.roll(image, (8, 12), axis=(0, 1))
    after = pipeline.analyze(Job(jpeg(shifted), in_widths(before, 640), detect=False)).faces
    assert len(after) == len(before) == 3
    for old, new in zip(before, after, strict=True):
        moved = old.box._replace(x=old.box.x + 12, y=old.box.y + 8)
        assert overlap(new.box, moved) > 0.85


def test_a_face_that_is_lost_is_searched_at_once(pipeline: Pipeline) -> None:
    image, _ = frame((60, 60, 75))
    (before,) = pipeline.analyze(Job(jpeg(image))).faces
    elsewhere, (truth,) = frame((420, 270, 115))
    (after,) = pipeline.analyze(Job(jpeg(elsewhere), in_widths([before], 640), detect=False)).faces
    assert overlap(after.box, truth) > 0.7


def test_two_regions_that_lead_to_one_face_give_one_face(pipeline: Pipeline) -> None:
    (face,) = pipeline.analyze(Job(jpeg(astronaut()))).faces
    (region,) = in_widths([face], 512)
    twice = (region, region._replace(x=region.x + 0.02))
    assert len(pipeline.analyze(Job(jpeg(astronaut()), twice, detect=False)).faces) == 1


def test_a_small_face_is_found_in_one_of_the_tiles(pipeline: Pipeline) -> None:
    image, (truth,) = frame((470, 300, 20))
    assert pipeline.analyze(Job(jpeg(image), second_look=False)).faces == ()
    jobs = [Job(jpeg(image), detect=False, tile=number, second_look=False) for number in range(6)]
    found = [face for job in jobs for face in pipeline.analyze(job).faces]
    assert found and all(overlap(face.box, truth) > 0.6 for face in found)


@pytest.mark.parametrize("gray", [64, 96, 160, 224])
def test_a_covered_face_that_fills_a_tile_is_found_by_the_short_range_network(
    pipeline: Pipeline, gray: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    face = serious_face()
    face[28:] = gray
    in_the_middle = Job(jpeg(framed(face)), detect=False, tile=4, second_look=False)
    assert len(pipeline.analyze(in_the_middle).faces) == 1
    monkeypatch.setattr(pipeline._close_detector, "detect", lambda *_: [])
    assert pipeline.analyze(in_the_middle).faces == ()


def test_a_large_followed_face_is_decoded_small_and_found_in_the_same_place(pipeline: Pipeline) -> None:
    large = np.asarray(cv2.resize(astronaut(), (1900, 1901)), np.uint8)
    (whole,) = pipeline.analyze(Job(jpeg(large))).faces
    job = Job(jpeg(large), in_widths([whole], 1900), detect=False)
    assert shrink_for(job, 1900) == 2
    analysis = pipeline.analyze(job)
    assert (analysis.width, analysis.height) == (1900, 1901)
    (small,) = analysis.faces
    assert overlap(small.box, whole.box) > 0.95
    assert small.region.size == pytest.approx(whole.region.size, rel=0.03)
    assert small.probabilities == pytest.approx(whole.probabilities, abs=0.1)


@pytest.mark.parametrize("shape", [(1, 1), (1, 4000), (4000, 1), (3, 2)])
def test_tiny_images_have_no_faces(pipeline: Pipeline, shape: tuple[int, int]) -> None:
    analysis = pipeline.analyze(Job(jpeg(np.zeros((*shape, 3), np.uint8))))
    assert (analysis.height, analysis.width, analysis.faces) == (*shape, ())


def test_problems_of_the_picture_are_raised_and_the_next_one_works(pipeline: Pipeline) -> None:
    with pytest.raises(BadFrameError):
        pipeline.analyze(Job(jpeg(astronaut())[:-20]))
    with pytest.raises(TooLargeError):
        pipeline.analyze(Job(bytes(MAX_IMAGE_BYTES + 1)))
    assert len(pipeline.analyze(Job(jpeg(astronaut()))).faces) == 1


def test_the_keras_runtime_says_the_same(pipeline: Pipeline, small_models: dict[str, Path]) -> None:
    (by_keras,) = Pipeline("keras", small_models["keras"]).analyze(Job(jpeg(astronaut()))).faces
    (by_litert,) = pipeline.analyze(Job(jpeg(astronaut()))).faces
    assert by_keras.probabilities == pytest.approx(by_litert.probabilities, abs=1e-3)


@pytest.mark.parametrize("runtime", ["litert", "keras"])
def test_a_pipeline_without_its_model_does_not_start(runtime: Runtime, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError):
        Pipeline(runtime, tmp_path / "none")


def test_opencv_keeps_to_one_core(pipeline: Pipeline) -> None:
    assert pipeline is not None
    assert cv2.getNumThreads() == 1
