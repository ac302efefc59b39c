"""Images, and what is found in them: the result object of the wire contract, as `webapp.codec` writes it."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, WithJsonSchema

from webapp.protocol import LABELS, LANDMARK_NAMES, STAGES
from webapp.web.api.v1.schemas.base import RequestModel, ResponseModel

File = Annotated[bytes, WithJsonSchema({"type": "string", "format": "binary"})]
"""A file in a form."""

PROBABILITY = {"type": "number", "minimum": 0, "maximum": 1}

Probabilities = Annotated[
    dict[str, float],
    WithJsonSchema(
        {
            "type": "object",
            "description": "The probability of each expression; they add up to 1.",
            "properties": dict.fromkeys(LABELS, PROBABILITY),
            "required": list(LABELS),
        }
    ),
]

Landmarks = Annotated[
    dict[str, list[list[float]]],
    WithJsonSchema(
        {
            "type": "object",
            "description": "Named lines of points [x, y], in pixels; left and right are the person's own.",
            "properties": {
                name: {
                    "type": "array",
                    "items": {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
                }
                for name in LANDMARK_NAMES
            },
            "required": list(LANDMARK_NAMES),
        }
    ),
]

Timing = Annotated[
    dict[str, float],
    WithJsonSchema(
        {
            "type": "object",
            "description": "Milliseconds that each stage took.",
            "properties": {stage: {"type": "number"} for stage in STAGES},
            "required": list(STAGES),
        }
    ),
]


class ImageForm(RequestModel):
    """An image to be analyzed."""

    image: File = Field(description="A JPEG, PNG or WebP file.")


class HeadPose(ResponseModel):
    """Where the head points, in degrees; all 0 when it faces the camera."""

    yaw: float = Field(description="Positive when the person turns to their own left.")
    pitch: float = Field(description="Positive when they look up.")
    roll: float = Field(description="Positive when the head tips clockwise in the image.")


class FaceFound(ResponseModel):
    """A face and its expression."""

    id: int = Field(description="From 1; in a stream it stays the same while a face is tracked.")
    box: list[float] = Field(
        description="[x, y, width, height] in pixels of the image.", min_length=4, max_length=4
    )
    score: float = Field(description="How clearly the face is visible.", ge=0, le=1)
    landmarks: Landmarks
    pose: HeadPose
    expression: str = Field(
        description="The most probable expression.", json_schema_extra={"enum": list(LABELS)}
    )
    confidence: float = Field(description="The probability of `expression`.", ge=0, le=1)
    valence: float = Field(
        description="Happy minus the largest of angry, disgust, fear and sad.", ge=-1, le=1
    )
    probabilities: Probabilities
    raw_probabilities: Probabilities


class ImageResult(ResponseModel):
    """The faces in an image, from left to right."""

    model_config = ConfigDict(frozen=True)

    seq: int = Field(description="0: an image belongs to no stream.")
    width: int = Field(description="In pixels, after the image's EXIF rotation.")
    height: int
    faces: list[FaceFound]
    timing_ms: Timing
