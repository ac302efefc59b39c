"""What was found in files, as rows with the columns `FILE_COLUMNS`, and as JSON with landmarks."""

from __future__ import annotations

import json

from webapp.codec import encode_face
from webapp.export.codebook import FILE_COLUMNS
from webapp.export.tables import Row
from webapp.protocol import LABELS, Face, FileFrame, valence

TIME_DIGITS = 6


def file_rows(frame: FileFrame) -> list[Row]:
    """A row for each face of a frame, or one without a face."""
    start = (printable(frame.input), frame.index, round(frame.t, TIME_DIGITS))
    if not frame.faces:
        return [start + (None,) * (len(FILE_COLUMNS) - len(start))]
    return [start + _face_values(face) for face in frame.faces]


def _face_values(face: Face) -> tuple[object, ...]:
    """The values of a face, rounded as in the exports of rooms."""
    pose = (face.pose.pitch, face.pose.roll, face.pose.yaw)
    return (
        face.id,
        *(round(value, 2) for value in face.box),
        round(face.score, 4),
        *(round(value, 2) for value in pose),
        *(round(face.raw_probabilities[label], 6) for label in LABELS),
        round(valence(face.raw_probabilities), 6),
        *(round(face.probabilities[label], 6) for label in LABELS),
    )


def file_json(frame: FileFrame) -> str:
    """A frame as one line of JSON; its faces are as in the wire contract, with landmarks."""
    head = json.dumps(
        {
            "input": printable(frame.input),
            "frame": frame.index,
            "t": round(frame.t, TIME_DIGITS),
            "width": frame.width,
            "height": frame.height,
        },
        separators=(",", ":"),
    )
    return f'{head[:-1]},"faces":[{",".join(map(encode_face, frame.faces))}]}}'


def printable(text: str) -> str:
    r"""The text, with bytes of a file's name that are no UTF-8 like `\xff`; Python has them as surrogates."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
