"""What a file is that somebody sent, by its first bytes, and how browsers are told of it.

Files are served under their owner's eyes only, but from our own origin: so their type is one of this list,
never what the sender said.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from webapp.errors import BadUploadError
from webapp.jobs.record import Kind
from webapp.media.kinds import IMAGE_SUFFIXES, is_image_start, is_zip_start

UNKNOWN_TYPE = "application/octet-stream"

TYPES_BY_START = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\x1aE\xdf\xa3": "video/webm",
    b"OggS": "video/ogg",
    b"GIF8": "image/gif",
}
"""Matroska has the start of WebM; browsers that play the one play much of the other."""


def kind_of(name: str, start: bytes) -> Kind:
    """What to analyze a file as, by its first bytes; its name decides where they do not tell.

    Raises:
        BadUploadError: it is empty, or a ZIP under another name.
    """
    suffix = PurePosixPath(name).suffix.lower()
    if not start:
        raise BadUploadError(
            f"{name}: the file is empty; send an image, a video or a ZIP of images.", "empty"
        )
    if is_zip_start(start):
        if suffix != ".zip":
            raise BadUploadError(
                f"{name}: by its content this is a ZIP archive. Send the image or the video itself, or a "
                "ZIP of images under a name that ends with .zip.",
                "misnamed_zip",
            )
        return "images"
    if suffix == ".zip":
        raise BadUploadError(
            f"{name}: this is no ZIP archive, or its beginning is missing; make it again.", "bad_zip"
        )
    return "image" if is_image_start(start) or suffix in IMAGE_SUFFIXES else "video"


def media_type_of(kind: Kind, start: bytes) -> str:
    """The type under which a file is served."""
    if kind == "images":
        return "application/zip"
    for beginning, media_type in TYPES_BY_START.items():
        if start.startswith(beginning):
            return media_type
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "image/webp"
    if kind == "video" and start[4:8] == b"ftyp":
        return "video/quicktime" if start[8:12] == b"qt  " else "video/mp4"
    return UNKNOWN_TYPE
