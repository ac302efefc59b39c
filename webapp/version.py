"""Which program and which model this is, for those who read its data later."""

from __future__ import annotations

import hashlib
from pathlib import Path

VERSION = "0.1.0"
"""That of pyproject.toml; a test holds the two together."""


def model_version(model: Path) -> str:
    """The first 12 hex digits of the SHA-256 of the expression model's file."""
    with model.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]
