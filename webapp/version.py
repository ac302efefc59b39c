"""The versions of the program and of the model, as recorded with its data."""

from __future__ import annotations

import hashlib
from pathlib import Path

VERSION = "0.1.0"
"""The same as in pyproject.toml; a test compares the two."""


def model_version(model: Path) -> str:
    """The first 12 hex digits of the SHA-256 of the expression model's file."""
    with model.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]
