"""The columns of `samples.csv`, named as users of Py-Feat and OpenFace know them, and what they mean."""

from __future__ import annotations

from typing import NamedTuple

from webapp.protocol import LABELS


class Column(NamedTuple):
    """A column of the samples: its name, its type (`text`, `whole` or `number`), and its code book entry."""

    name: str
    kind: str
    meaning: str


EXPORT_NAMES = dict(
    zip(LABELS, ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"), strict=True)
)
"""Py-Feat's names of the expressions."""


def _probabilities(prefix: str, meaning: str) -> list[Column]:
    return [Column(prefix + EXPORT_NAMES[label], "number", f"{meaning}: {label}") for label in LABELS]


IDENTITY = [
    Column("participant", "text", "Identifier of the participant, made at random"),
    Column("alias", "text", "The name that the participant gave, or got"),
    Column(
        "frame",
        "whole",
        "Number of the participant's analysed frame in this recording, from 0, in the order of the answers: "
        "under load two workers may answer out of turn, so sort by captured",
    ),
    Column(
        "timestamp",
        "text",
        "When the camera saw it, on the server's clock, ISO 8601, UTC: captured + clock_offset "
        "where that was estimated, else received",
    ),
    Column("t", "number", "timestamp in seconds since the start of the recording"),
]
FACE = [
    Column("face_id", "whole", "Number of the face within one connection; empty where no face was found"),
    Column("FaceRectX", "number", "Left edge of the face's box, pixels of the picture as sent"),
    Column("FaceRectY", "number", "Upper edge of the face's box, pixels"),
    Column("FaceRectWidth", "number", "Width of the face's box, pixels"),
    Column("FaceRectHeight", "number", "Height of the face's box, pixels"),
    Column("FaceScore", "number", "The detector's score of the face, 0 to 1"),
    Column("Pitch", "number", "Head pose in degrees, positive when looking up"),
    Column("Roll", "number", "Head pose in degrees, positive when tipped clockwise in the picture"),
    Column("Yaw", "number", "Head pose in degrees, positive when turned to the person's own left"),
]
EXPRESSIONS = [
    *_probabilities("", "Probability of the expression in this frame alone, 0 to 1; the seven sum to 1"),
    Column("valence", "number", "happiness minus the largest of anger, disgust, fear and sadness, -1 to 1"),
    *_probabilities("smooth_", "Probability smoothed over time, as the live view shows it"),
    *_probabilities(
        "relative_", "Probability relative to the person's own neutral; empty without a baseline"
    ),
]
CIRCUMSTANCES = [
    Column("received", "text", "When the server received the frame, its clock, ISO 8601, UTC"),
    Column("captured", "text", "When the camera saw it, on the participant's clock, ISO 8601, UTC"),
    Column("clock_offset", "number", "Seconds to add to captured for the server's clock; empty if unknown"),
    Column("width", "whole", "Width of the picture as sent, pixels"),
    Column("height", "whole", "Height of the picture as sent, pixels"),
    Column("model", "text", "Version of the expression model: the first 12 hex digits of its file's SHA-256"),
    Column("recording", "whole", "Number of the recording in this room, from 1"),
    Column("marker", "text", "Labels of the markers whose nearest frame of this participant this is"),
]

COLUMNS = (*IDENTITY, *FACE, *EXPRESSIONS, *CIRCUMSTANCES)


def code_book() -> list[dict[str, str]]:
    """Every column as `room.json` explains it."""
    return [column._asdict() for column in COLUMNS]
