"""Finds the images and videos that a command line names: files, folders and patterns."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from webapp.media.kinds import IMAGE_SUFFIXES, SNIFFED_BYTES, VIDEO_SUFFIXES, is_image_start


@dataclass(frozen=True, slots=True)
class Input:
    """One file to analyze, named as in the results; `stamp` tells whether it has changed since."""

    name: str
    is_video: bool
    stamp: tuple[int, ...] = ()

    @property
    def path(self) -> Path:
        """Where it is."""
        return Path(self.name)


def find_inputs(paths: Iterable[str], copies: Path | None = None) -> list[Input]:
    """The files that are named, in folders and below, or match patterns; each once, in order.

    A name that stands for nothing is kept, so that it fails by its name. What lies in `copies`, a folder
    within one that is named, is left out: annotated copies of an earlier run.
    """
    names = dict.fromkeys(name for path in paths for name in _expanded(path, copies))
    return [Input(name, _is_video(Path(name)), stamp_of(name)) for name in names]


def stamp_of(name: str) -> tuple[int, ...]:
    """The size and the time of change of a file; nothing if it cannot be found."""
    try:
        status = Path(name).stat()
    except (OSError, ValueError):  # gone, or no name of a file
        return ()
    return (status.st_size, status.st_mtime_ns)


def _expanded(path: str, copies: Path | None) -> Iterator[str]:
    if Path(path).is_dir():
        yield from _in_folder(Path(path), copies)
    elif not Path(path).exists() and glob.has_magic(path):
        matches = sorted(glob.glob(path, recursive=True))  # noqa: PTH207 - a pattern may be absolute
        for match in matches:
            yield from _expanded(glob.escape(match) if not Path(match).exists() else match, copies)
        if not matches:
            yield path
    else:
        yield path


def _in_folder(folder: Path, copies: Path | None) -> Iterator[str]:
    """Images and videos by their names, folder by folder; hidden ones are left out."""
    left_out = None if copies is None else copies.resolve()
    if left_out is not None and folder.resolve() not in left_out.parents:
        left_out = None  # the copies are not within the folder
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in IMAGE_SUFFIXES | VIDEO_SUFFIXES or not path.is_file():
            continue
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        is_copy = left_out is not None and path.resolve().is_relative_to(left_out)
        if not (hidden or is_copy):
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
