"""The names of the files of figures."""

from __future__ import annotations

import re
import unicodedata

MAX_LENGTH = 40


def file_part(name: str) -> str:
    """A name as part of a file's name: ASCII letters and digits, joined by hyphens; it may be empty."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]+", "-", plain).strip("-")[:MAX_LENGTH].strip("-")
