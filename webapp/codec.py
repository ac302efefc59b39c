"""The JSON of the wire contract: results and problems as browsers and programs get them.

A result is the acknowledgement of a `frame` event and the body of `/api/v1/analyze`:

    {"seq": 7, "width": 640, "height": 480,
     "faces": [{"id": 1, "box": [x, y, width, height], "score": 0.97,
                "landmarks": {"left_eye": [[x, y], ...], ...},
                "pose": {"yaw": deg, "pitch": deg, "roll": deg},
                "expression": "happy", "confidence": 0.93, "valence": 0.9,
                "probabilities": {"angry": 0.01, ...}, "raw_probabilities": {...}}],
     "timing_ms": {"queue": 0.1, "decode": 1.2, ..., "total": 9.8}}

A problem is {"seq": 8, "problem": {"code": "busy", "message": "..."}}; over HTTP it is a problem
detail of RFC 9457 too:

    {"type": "/api/v1/docs#problem-busy", "title": "Busy", "status": 503, "detail": "...",
     "problem": {"code": "busy", "message": "..."}}

Pixels and degrees are rounded to a tenth, probabilities to four decimals. The values and their checks are in
`webapp.protocol`.
"""

from __future__ import annotations

import json
from typing import Any

from webapp.errors import FrameError
from webapp.protocol import LABELS, STAGES, Face, Probabilities, Result

PROBLEM_MEDIA_TYPE = "application/problem+json"

PROBLEM_TYPES = "/api/v1/docs#problem-"
"""What comes before the code in the type of a problem: the documentation explains each code there."""


def encode_result(result: Result) -> str:
    """The JSON of a result."""
    faces = ",".join(map(encode_face, result.faces))
    timing_ms = _json({stage: round(result.timing_ms[stage], 2) for stage in STAGES})
    size = f'"width":{result.width},"height":{result.height}'
    return f'{{"seq":{result.seq},{size},"faces":[{faces}],"timing_ms":{timing_ms}}}'


def encode_face(face: Face) -> str:
    """The JSON of one face; its landmarks, which are JSON already, are copied."""
    head = {
        "id": face.id,
        "box": [round(value, 1) for value in face.box],
        "score": round(face.score, 4),
    }
    tail = {
        "pose": {name: round(value, 1) for name, value in face.pose._asdict().items()},
        "expression": face.expression,
        "confidence": round(face.confidence, 4),
        "valence": round(face.valence, 4),
        "probabilities": _rounded(face.probabilities),
        "raw_probabilities": _rounded(face.raw_probabilities),
    }
    if face.relative_probabilities is not None:
        tail["relative_probabilities"] = _rounded(face.relative_probabilities)
    return f'{_json(head)[:-1]},"landmarks":{face.landmarks},{_json(tail)[1:]}'


def problem(code: str, message: str) -> dict[str, Any]:
    """A problem as HTTP answers and acknowledgements of events carry it."""
    return {"problem": {"code": code, "message": message}}


def problem_details(status: int, code: str, message: str) -> dict[str, Any]:
    """A problem as the HTTP API answers it: a problem detail of RFC 9457 that has the `problem` too."""
    return {
        "type": f"{PROBLEM_TYPES}{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "detail": message,
        **problem(code, message),
    }


def problem_to_wire(seq: int | None, error: FrameError) -> dict[str, Any]:
    """The problem object; `seq` is None where the frame did not give a usable one."""
    return {"seq": seq, **problem(error.code, str(error))}


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _rounded(probabilities: Probabilities) -> dict[str, float]:
    return {label: round(probabilities[label], 4) for label in LABELS}
