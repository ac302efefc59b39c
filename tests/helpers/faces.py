"""Small builders for faces, for tests that need no image."""

from __future__ import annotations

import json

from webapp.protocol import LABELS, Box, Face, Pose, Region


def probabilities(expression: str, confidence: float = 1.0) -> dict[str, float]:
    rest = (1.0 - confidence) / (len(LABELS) - 1)
    return {label: confidence if label == expression else rest for label in LABELS}


def face(
    x: float = 100, y: float = 100, width: float = 80, expression: str = "happy", score: float = 0.9
) -> Face:
    shown = probabilities(expression)
    return Face(
        box=Box(x, y, width, width),
        region=Region(x + width / 2, y + width / 2, 1.5 * width, 0.0),
        score=score,
        landmarks=json.dumps({"nose": [[x + width / 2, y + width / 2]]}, separators=(",", ":")),
        pose=Pose(0.0, 0.0, 0.0),
        probabilities=shown,
        raw_probabilities=shown,
    )
