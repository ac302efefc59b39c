"""The about page: what Mien does, how accurate it is, its limits, and what it is made of."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, render_template

from webapp.version import VERSION, model_version
from webapp.web.catalogues import languages_without_review
from webapp.web.context import services

blueprint = Blueprint("about", __name__)


@dataclass(frozen=True, slots=True)
class Found:
    """How well one expression is found, as fractions; from the model card's table."""

    label: str
    precision: float
    """Of the faces that got this name, those that people name so too."""
    recall: float
    """Of the faces that people name so, those that got this name."""


ACCURACY = 0.681
"""End to end, as in models/README.md; a test compares all figures with it."""

FOUND = (
    Found("angry", 0.62, 0.64),
    Found("disgust", 0.50, 0.59),
    Found("fear", 0.60, 0.46),
    Found("happy", 0.90, 0.87),
    Found("sad", 0.58, 0.60),
    Found("surprise", 0.78, 0.85),
    Found("neutral", 0.60, 0.65),
)

LICENSES = {
    "Mien": ("https://opensource.org/license/mit", "MIT"),
    "MediaPipe BlazeFace, Face Mesh": ("https://github.com/google-ai-edge/mediapipe", "Apache-2.0"),
    "LiteRT": ("https://github.com/google-ai-edge/LiteRT", "Apache-2.0"),
    "Flask": ("https://flask.palletsprojects.com", "BSD-3-Clause"),
    "Flask-SocketIO": ("https://flask-socketio.readthedocs.io", "MIT"),
    "Socket.IO": ("https://socket.io", "MIT"),
    "OpenCV": ("https://opencv.org", "Apache-2.0"),
}
"""The main parts, each with its address and its license."""


@blueprint.get("/about")
def about() -> str:
    """The model card for people, privacy, licenses and version."""
    return render_template(
        "live/about.html",
        accuracy=ACCURACY,
        found=FOUND,
        licenses=LICENSES,
        version=VERSION,
        model=model_version(services().settings.model_path),
        unreviewed=languages_without_review(),
    )
