from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers.faces import face
from webapp.errors import BadFrameError, FrameError, LinkError, TooLargeError, UnavailableError
from webapp.ipc import job_codec
from webapp.protocol import WORKER_STAGES, Analysis, Face, ImageLimits, Job, Region
from webapp.vision.polylines import polylines_json

TIMING_MS = dict.fromkeys(WORKER_STAGES, 1.5)
POINTS = np.linspace(-9.5, 640.0, 2 * 468, dtype=np.float32).reshape(468, 2)
LANDMARKS = polylines_json(POINTS)


def worker_face(**changes: object) -> Face:
    return replace(replace(face(), landmarks=LANDMARKS), **changes)  # type: ignore[arg-type]


def payload(*faces: Face, width: int = 640) -> bytes:
    return job_codec.pack_outcome(Analysis(width, 480, faces, TIMING_MS))


@pytest.mark.parametrize(
    "job",
    [
        Job(b"image"),
        Job(b"", (Region(0.5, 0.25, 0.125, -1.5), Region(1, 2, 3, 4)), detect=False),
        Job(b"x", detect=False, tile=70_000),
        Job(b"x", second_look=False),
        Job(b"x", mirror=False),
        Job(b"x", limits=ImageLimits(30_000_000, 50_000_000)),
    ],
)
def test_a_job_survives_the_link(job: Job) -> None:
    assert job_codec.unpack_job(job_codec.pack_job(job)) == job


def test_of_too_many_regions_the_first_are_sent() -> None:
    job = Job(b"image", (Region(1, 2, 3, 4),) * 300)
    assert len(job_codec.unpack_job(job_codec.pack_job(job)).regions) == job_codec.MAX_REGIONS


def test_an_analysis_survives_the_link() -> None:
    analysis = Analysis(640, 480, (worker_face(), worker_face(score=0.5)), TIMING_MS)
    assert job_codec.unpack_outcome(job_codec.pack_outcome(analysis)) == analysis


def test_a_problem_survives_the_link_with_its_code_and_words() -> None:
    problem = job_codec.unpack_outcome(job_codec.pack_outcome(TooLargeError("too many pixels")))
    assert isinstance(problem, TooLargeError)
    assert (problem.code, str(problem)) == ("too_large", "too many pixels")


def test_of_too_many_faces_the_first_are_sent() -> None:
    outcome = job_codec.unpack_outcome(payload(*[worker_face()] * 300))
    assert isinstance(outcome, Analysis)
    assert len(outcome.faces) == job_codec.MAX_FACES


@pytest.mark.parametrize("error", [BadFrameError, TooLargeError, UnavailableError])
def test_each_kind_of_problem_stays_what_it_is(error: type[FrameError]) -> None:
    assert type(job_codec.unpack_outcome(job_codec.pack_outcome(error("é")))) is error


WITHOUT_A_LINE = LANDMARKS.replace('"nose"', '"hose"')

HOSTILE = {
    "nothing": b"",
    "another kind": b"X" + bytes(100),
    "a pickle": b"\x80\x05N.",
    "no such problem": b"P\x09text",
    "a problem that is no text": b"P\x00\xff\xfe",
    "an endless problem": b"P\x00" + b"x" * 5000,
    "cut off": payload(worker_face())[:-1],
    "too long": payload(worker_face()) + b"x",
    "no width": payload(width=0),
    "a huge width": payload(width=70_000),
    "more faces than there are": payload()[:9] + b"\x05" + payload()[10:],
    "a score over 1": payload(worker_face(score=1.5)),
    "a score that is no number": payload(worker_face(score=math.nan)),
    "an endless box": payload(worker_face(box=face().box._replace(x=math.inf))),
    "a far box": payload(worker_face(box=face().box._replace(x=1e300))),
    "a negative probability": payload(
        worker_face(raw_probabilities=face().raw_probabilities | {"sad": -0.5})  # type: ignore[operator]
    ),
    "landmarks with a script": payload(worker_face(landmarks='"<script>"')),
    "landmarks that end early": payload(worker_face(landmarks=LANDMARKS[:-3])),
    "landmarks that leave their object": payload(worker_face(landmarks=LANDMARKS + ',"id":7')),
    "landmarks of another line": payload(worker_face(landmarks=WITHOUT_A_LINE)),
    "landmarks with a point less": payload(worker_face(landmarks=LANDMARKS.replace("],[", "],", 1))),
    "landmarks that are no JSON": payload(worker_face(landmarks=LANDMARKS.replace("[[", "[[,", 1))),
    "endless landmarks": payload(worker_face(landmarks=LANDMARKS.replace("[[", "[[" + "1" * 30_000))),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_reply_that_no_worker_sends_is_refused(name: str) -> None:
    with pytest.raises(LinkError):
        job_codec.unpack_outcome(HOSTILE[name])


@settings(max_examples=500)
@given(changes=st.lists(st.tuples(st.integers(0, 600), st.integers(0, 255)), max_size=6), data=st.binary())
def test_a_damaged_reply_raises_nothing_but_a_link_error(changes: list[tuple[int, int]], data: bytes) -> None:
    damaged = bytearray(payload(worker_face()))
    for position, value in changes:
        damaged[position % len(damaged)] = value
    for reply in (bytes(damaged), b"A" + data, b"P" + data, data):
        try:
            outcome = job_codec.unpack_outcome(reply)
        except LinkError:
            continue
        assert isinstance(outcome, Analysis | FrameError)
