"""The annotated copies of a run: which file each input becomes, and when it is written."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from webapp.analysis import FileEngine
from webapp.cli.inputs import Input
from webapp.errors import FileError
from webapp.media.annotation import VideoOverlays
from webapp.protocol import FileFrame


class Annotated:
    """Writes copies to a folder, or nothing if there is none; one thread calls it."""

    def __init__(self, engine: FileEngine, folder: Path | None, inputs: list[Input]) -> None:
        self._engine = engine
        self._targets = {} if folder is None else annotated_paths(folder, inputs)

    def image(self, frame: FileFrame) -> None:
        """Write the copy of an image."""
        if frame.input in self._targets:
            self._engine.annotate_image(frame, self._target(frame.input))

    @contextmanager
    def video(self, one: Input, on_frame: Callable[[], None]) -> Iterator[VideoOverlays]:
        """Collect what is drawn on a video within the block, and write its copy at the end."""
        overlays = VideoOverlays()
        yield overlays
        if one.name in self._targets:
            self._engine.annotate_video(one.name, overlays.by_index, self._target(one.name), on_frame)

    def _target(self, name: str) -> Path:
        target = self._targets[name]
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(
                f"{name}: the folder {target.parent} cannot be made: {error.strerror}."
            ) from error
        return target


def annotated_paths(folder: Path, inputs: list[Input]) -> dict[str, Path]:
    """Where the copy of each input goes: below the folder as the inputs lie below their common one.

    No copy replaces an input or another copy, whatever links lead there.

    Raises:
        FileError: the copy of an input would.
    """
    folder = _real(folder)
    parents = {one.name: _real(one.path.parent) for one in inputs}
    root = Path(os.path.commonpath(list(parents.values())))
    taken = {_key(path) for one in inputs for path in (_real(one.path), parents[one.name] / one.path.name)}
    targets: dict[str, Path] = {}
    for one in inputs:
        place = folder / parents[one.name].relative_to(root)
        target = targets[one.name] = _free_target(one, place, taken)
        if not target.is_relative_to(folder):
            raise FileError(f"{one.name}: its copy would be {target}, which is outside of {folder}.")
        taken.add(_key(target))
    return targets


def _free_target(one: Input, place: Path, taken: set[str]) -> Path:
    suffix = ".mp4" if one.is_video else ".jpg"
    for name in (f"{one.path.stem}{suffix}", f"{one.path.name}.annotated{suffix}"):
        target = _real(place / name)
        if _key(target) not in taken:
            return target
    raise FileError(
        f"{one.name}: its copy would replace {target}, an input or the copy of another one. Give --annotate "
        "an empty folder."
    )


def _real(path: Path) -> Path:
    """The path without links and `..`; unlike `Path.resolve`, also of links that lead in a circle."""
    return Path(os.path.realpath(path))


def _key(path: Path) -> str:
    """The same for names that are one file where the case of letters does not count, as on a Mac."""
    return str(path).casefold()
