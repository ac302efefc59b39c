from __future__ import annotations

import json
from dataclasses import replace

from tests.helpers.faces import face, probabilities
from webapp.codec import encode_result, problem_to_wire
from webapp.errors import BadFrameError
from webapp.protocol import STAGES, Face, Pose, Result

TIMING_MS = dict.fromkeys(STAGES, 1.234567)


def result(*faces: Face) -> Result:
    return Result(seq=7, width=640, height=480, faces=faces, timing_ms=TIMING_MS)


def test_a_result_is_written_as_the_contract_says() -> None:
    assert json.loads(encode_result(result(face()))) == {
        "seq": 7,
        "width": 640,
        "height": 480,
        "faces": [
            {
                "id": 0,
                "box": [100, 100, 80, 80],
                "score": 0.9,
                "landmarks": {"nose": [[140, 140]]},
                "pose": {"yaw": 0.0, "pitch": 0.0, "roll": 0.0},
                "expression": "happy",
                "confidence": 1.0,
                "valence": 1.0,
                "probabilities": probabilities("happy"),
                "raw_probabilities": probabilities("happy"),
            }
        ],
        "timing_ms": dict.fromkeys(STAGES, 1.23),
    }


def test_numbers_are_rounded_and_keys_keep_their_order() -> None:
    seen = replace(face(x=100.26), id=3, score=0.123456, pose=Pose(1.26, -2.0, 0.04))
    assert encode_result(result(seen)).startswith(
        '{"seq":7,"width":640,"height":480,"faces":[{"id":3,"box":[100.3,100,80,80],"score":0.1235,'
        '"landmarks":{"nose":[[140.26,140.0]]},"pose":{"yaw":1.3,"pitch":-2.0,"roll":0.0},'
        '"expression":"happy","confidence":1.0,"valence":1.0,"probabilities":{"angry":0.0,"disgust":0.0,'
    )
    assert list(json.loads(encode_result(result()))["timing_ms"]) == list(STAGES)


def test_probabilities_relative_to_a_baseline_are_added_where_there_are_any() -> None:
    relative = replace(face(), relative_probabilities=probabilities("sad", 0.5))
    (written,) = json.loads(encode_result(result(relative)))["faces"]
    assert (written["relative_probabilities"]["sad"], written["relative_probabilities"]["fear"]) == (
        0.5,
        0.0833,
    )


def test_a_problem_is_written_as_the_contract_says() -> None:
    assert problem_to_wire(8, BadFrameError("broken")) == {
        "seq": 8,
        "problem": {"code": "bad_frame", "message": "broken"},
    }
