"""Finds the images and videos that a command line names: files, folders and patterns."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from webapp.media.kinds import IMAGE_SUFFIXES, SNIFFED_BYTES, VIDEO_SUFFIXES, is_image_start


@dataclass(frozen=True, slots=True)
class Input:
    """One file to analyze, named as in the results."""

    name: str
    is_video: bool

    @property
    def path(self) -> Path:
        """Where it is."""
        return Path(self.name)


def find_inputs(paths: Iterable[str]) -> list[Input]:
    """The files that are named, in folders and below, or match patterns; each once, in order.

    A name that stands for nothing is kept, so that it fails by its name.
    """
    names = dict.fromkeys(name for path in paths for name in _expanded(path))
    return [Input(name, _is_video(Path(name))) for name in names]


def _expanded(path: str) -> Iterator[str]:
    if Path(path).is_dir():
        yield from _in_folder(Path(path))
    elif not Path(path).exists() and glob.has_magic(path):
        matches = sorted(glob.glob(path, recursive=True))  # noqa: PTH207 - a pattern may be absolute
        for match in matches:
            yield from _expanded(glob.escape(match) if not Path(match).exists() else match)
        if not matches:
            yield path
    else:
        yield path


def _in_folder(folder: Path) -> Iterator[str]:
    """Images and videos by their names, folder by folder; hidden ones are left out."""
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if not hidden and path.suffix.lower() in IMAGE_SUFFIXES | VIDEO_SUFFIXES and path.is_file():
            yield str(path)


def _is_video(path: Path) -> bool:
    """Whether it is to be read as a video: by its first bytes, and by its name where they do not tell."""
    start = _first_bytes(path)
    if is_image_start(start):
        return False
    if start[4:8] == b"ftyp":
        return True
    return path.suffix.lower() not in IMAGE_SUFFIXES


def _first_bytes(path: Path) -> bytes:
    try:
        if not path.is_file():
            return b""
        with path.open("rb") as file:
            return file.read(SNIFFED_BYTES)
    except OSError:
        return b""
