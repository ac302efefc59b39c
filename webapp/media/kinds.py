"""Tells images and videos apart by their first bytes and their names. Standard library only."""

from __future__ import annotations

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".webp"})
VIDEO_SUFFIXES = frozenset(
    {
        *(".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts"),
        *(".ogv", ".wmv", ".flv", ".3gp", ".gif"),
    }
)

IMAGE_STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
IMAGE_BRANDS = frozenset({b"heic", b"heix", b"mif1", b"msf1", b"avif"})
ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
"""An archive, an empty one, and one that was to be split."""

SNIFFED_BYTES = 12


def is_image_start(start: bytes) -> bool:
    """Whether a file that begins like this is an image, be it one that is read or not."""
    return (
        start.startswith(IMAGE_STARTS)
        or (start[:4] == b"RIFF" and start[8:12] == b"WEBP")
        or (start[4:8] == b"ftyp" and start[8:12] in IMAGE_BRANDS)
    )


def is_zip_start(start: bytes) -> bool:
    """Whether a file that begins like this is a ZIP archive, as documents of offices are too."""
    return start.startswith(ZIP_STARTS)
