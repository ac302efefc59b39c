"""Counts what was found in each input, and prints it as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import click

from webapp.export.file_rows import printable
from webapp.protocol import FileFrame

MAX_NAME = 44
MAX_ROWS = 40


@dataclass(slots=True)
class InputSummary:
    """What was found in one input; `error` says why it failed."""

    name: str
    frames: int = 0
    frames_with_faces: int = 0
    faces: int = 0
    expressions: dict[str, int] = field(default_factory=dict)
    error: str | None = None

    def add(self, frame: FileFrame) -> None:
        """Count one frame."""
        self.frames += 1
        self.frames_with_faces += bool(frame.faces)
        self.faces = max([self.faces, *(face.id for face in frame.faces)])
        for face in frame.faces:
            self.expressions[face.expression] = self.expressions.get(face.expression, 0) + 1

    @property
    def is_whole(self) -> bool:
        """Whether all is of the right type; what was read from a file may be anything."""
        counts = (self.frames, self.frames_with_faces, self.faces)
        return (
            isinstance(self.name, str)
            and isinstance(self.error, str | None)
            and isinstance(self.expressions, dict)
            and all(isinstance(count, int) for count in (*counts, *self.expressions.values()))
        )

    @property
    def most_frequent(self) -> str:
        """The expression that was found most often, with its share."""
        if not self.expressions:
            return "-"
        label, count = Counter(self.expressions).most_common(1)[0]
        return f"{label} {100 * count / sum(self.expressions.values()):.0f}%"


def print_summary(summaries: Sequence[InputSummary], skipped: int) -> None:
    """A line for each input, then the sum; failures come last, with their reasons."""
    failed = [one for one in summaries if one.error]
    shown = summaries[:MAX_ROWS]
    click.echo(f"{'input':<{MAX_NAME}} {'frames':>7} {'with face':>9} {'faces':>6}  most frequent")
    for one in shown:
        click.echo(
            f"{_shortened(one.name):<{MAX_NAME}} {one.frames:>7} {one.frames_with_faces:>9} {one.faces:>6}  "
            f"{'failed' if one.error else one.most_frequent}"
        )
    if len(summaries) > len(shown):
        click.echo(f"... and {len(summaries) - len(shown)} more")
    frames = sum(one.frames for one in summaries)
    kept = f", of which {skipped} were finished before" if skipped else ""
    click.echo(f"{len(summaries)} inputs{kept}, {frames} frames, {len(failed)} failed")
    for one in failed:
        click.echo(printable(f"mien: {one.error}"), err=True)


def _shortened(name: str) -> str:
    name = printable(name)
    return name if len(name) <= MAX_NAME else f"...{name[3 - MAX_NAME :]}"
