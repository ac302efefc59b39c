"""The columns of an export's tables and what they mean.

Those of the samples are named as users of Py-Feat and OpenFace know them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from webapp.protocol import LABELS

Kind = Literal["text", "whole", "number", "time"]


class Column(NamedTuple):
    """A column of a table: its name, its type, and its code book entry.

    A `time` is UTC to the millisecond: ISO 8601 in CSV, a timestamp in Parquet.
    """

    name: str
    kind: Kind
    meaning: str


EXPORT_NAMES = dict(
    zip(LABELS, ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"), strict=True)
)
"""Py-Feat's names of the expressions."""


def _probabilities(prefix: str, meaning: str) -> list[Column]:
    return [Column(prefix + EXPORT_NAMES[label], "number", f"{meaning}: {label}") for label in LABELS]


_PERSON = (
    Column("participant", "text", "Identifier of the participant, made at random"),
    Column("alias", "text", "The name that the participant gave, or got"),
)
_LABEL = Column(
    "participant_label", "text", "The id that a panel or an experiment gave the participant; empty if none"
)

IDENTITY = [
    *_PERSON,
    Column(
        "frame",
        "whole",
        "Number of the participant's analyzed frame in this recording, from 0, in the order of the results: "
        "under load two workers may finish out of order, so sort by captured. Frames that were not analyzed "
        "have no number; a gap is a frame that was analyzed and lost, or captured before the recording began",
    ),
    Column(
        "timestamp",
        "time",
        "When the camera saw it, on the server's clock: captured + clock_offset where that was estimated and "
        "is at most 5 s before received and not after it, else received",
    ),
    Column("t", "number", "timestamp in seconds since the start of the recording, 0 or more"),
]
FACE = [
    Column(
        "face_id",
        "whole",
        "Number of the face among those that the participant's camera saw, in all connections; empty where "
        "no face was found",
    ),
    Column("FaceRectX", "number", "Left edge of the face's box, pixels of the frame as sent"),
    Column("FaceRectY", "number", "Upper edge of the face's box, pixels"),
    Column("FaceRectWidth", "number", "Width of the face's box, pixels"),
    Column("FaceRectHeight", "number", "Height of the face's box, pixels"),
    Column(
        "FaceScore",
        "number",
        "How well the face is seen, 0 to 1: the sigmoid of a tenth of the presence logit of Google's Face "
        "Mesh. Clear faces have 0.95 and more, half-covered or very blurred ones 0.6 to 0.8, none under 0.5",
    ),
    Column("Pitch", "number", "Head pose in degrees, positive when looking up"),
    Column("Roll", "number", "Head pose in degrees, positive when tipped clockwise in the frame"),
    Column("Yaw", "number", "Head pose in degrees, positive when turned to the person's own left"),
]
_PROBABILITIES = _probabilities(
    "", "Probability of the expression in this frame alone, 0 to 1; the seven sum to 1"
)
_VALENCE = Column(
    "valence",
    "number",
    "happiness minus the largest of anger, disgust, fear and sadness of this frame alone, -1 to 1",
)
_SMOOTHED = _probabilities("smooth_", "Probability smoothed over time, as the live view shows it")
EXPRESSIONS = [
    *_PROBABILITIES,
    _VALENCE,
    *_SMOOTHED,
    *_probabilities(
        "relative_",
        "Probability in this frame relative to the person's own neutral; empty until a baseline was recorded",
    ),
]
CIRCUMSTANCES = [
    Column("received", "time", "When the server received the frame, on its own clock"),
    Column(
        "captured",
        "time",
        "When the camera saw it, on the participant's clock; empty where that is outside the years 1 to 9999",
    ),
    Column("clock_offset", "number", "Seconds to add to captured for the server's clock; empty if unknown"),
    Column("width", "whole", "Width of the frame as sent, pixels"),
    Column("height", "whole", "Height of the frame as sent, pixels"),
    Column("model", "text", "Version of the expression model: the first 12 hex digits of its file's SHA-256"),
    Column("recording", "whole", "Number of the recording in this room, from 1"),
    Column(
        "marker",
        "text",
        "Labels of the recording's markers for which this is the participant's nearest frame, within 1 s; "
        "several are joined by '; ', and every face of the frame has them",
    ),
    _LABEL,
]

COLUMNS = (*IDENTITY, *FACE, *EXPRESSIONS, *CIRCUMSTANCES)
"""Of the samples: one row for each face in each analyzed frame, and one for a frame without a face."""

COLUMN_INDEX = {column.name: number for number, column in enumerate(COLUMNS)}
"""Where a column is in a row of the samples."""

FILE_COLUMNS = (
    Column("input", "text", "The file, as it was named"),
    Column("frame", "whole", "Number of the decoded frame, from 0; an image has frame 0 alone"),
    Column("t", "number", "Presentation time of the frame in seconds, as the file's container has it"),
    *FACE,
    *_PROBABILITIES,
    _VALENCE,
    *_SMOOTHED,
)
"""Of analyzed files: one row for each face in each analyzed frame, and one for a frame without a face."""

MARKER_COLUMNS = (
    Column("recording", "whole", "Number of the recording that was running then; empty outside recordings"),
    Column("timestamp", "time", "When it happened, on the server's clock, or as a program gave it"),
    Column("t", "number", "Seconds since the start of the recording; empty outside recordings"),
    Column("label", "text", "What happened"),
    Column("source", "text", "Who set it: board, api, participant (their page) or lsl (a stream of markers)"),
    Column(
        "participant", "text", "Identifier of the participant who set it; empty where it holds for everyone"
    ),
    Column(
        "time",
        "time",
        "What the sender's clock said, such as the participant's browser; empty if it said nothing",
    ),
    Column(
        "received",
        "time",
        "When the server received it, on its own clock; empty in markers of earlier versions",
    ),
    Column(
        "lsl_time", "number", "Its time on LSL's clock of the server, seconds; empty if it came another way"
    ),
)

PARTICIPANT_COLUMNS = (
    *_PERSON,
    Column("consented", "time", "When the participant consented"),
    Column("information_version", "text", "First 12 hex digits of the SHA-256 of the text consented to"),
    Column("left", "time", "When they left for good or were sent away; empty for everybody else"),
    Column(
        "baseline",
        "text",
        "The last neutral baseline as a JSON list: mean logits of "
        + ", ".join(EXPORT_NAMES.values())
        + "; empty without one",
    ),
    Column("samples", "whole", "Rows of the participant in the samples of this export"),
    Column(
        "consent_language",
        "text",
        "Language of the text consented to, such as de; empty where the host did not name it",
    ),
    _LABEL,
    Column(
        "consent_source",
        "text",
        "Who asked for the consent: participant (on our page), or experiment (on its own)",
    ),
)


def codebook(columns: Sequence[Column] = COLUMNS) -> list[dict[str, str]]:
    """Every column as `room.json` explains it."""
    return [column._asdict() for column in columns]
