"""Remembers which inputs are finished, so that a run that was stopped can go on.

It lies beside the first file of results, as `results.csv.progress`: a line of JSON with the options of the
run, then one for each finished input, written after its results.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from webapp.cli.inputs import stamp_of
from webapp.cli.summary import InputSummary
from webapp.errors import ResumeError

Finished = tuple[InputSummary, tuple[int, ...]]


class Journal:
    """Written by one thread; `finished` has the inputs of the earlier run that have not changed since.

    What cannot be found now, as on a disk that is not there, has not changed: its results are kept.
    """

    def __init__(self, path: Path, options: Mapping[str, Any], resume: bool) -> None:
        """Begin a journal, or go on with one.

        Raises:
            ResumeError: it was begun with other options, or does not say with which.
            OSError: it cannot be read or written.
        """
        kept = _read(path, options) if resume and path.is_file() else {}
        self.finished = {name: summary for name, (summary, _) in kept.items()}
        unfinished = path.with_name(f"{path.name}.part")
        self._file = unfinished.open("w", encoding="utf-8")
        self._write({"options": dict(options)})
        for summary, stamp in kept.values():
            self.add(summary, stamp)
        unfinished.replace(path)

    def add(self, summary: InputSummary, stamp: tuple[int, ...]) -> None:
        """Remember that an input is finished, and its stamp from before it was read."""
        self._write({**asdict(summary), "stamp": stamp})

    def close(self) -> None:
        """Nothing more is added."""
        self._file.close()

    def _write(self, line: Mapping[str, Any]) -> None:
        self._file.write(f"{json.dumps(line)}\n")
        self._file.flush()


def journal_path(results: Path) -> Path:
    """Where the journal of a file of results is."""
    return results.with_name(f"{results.name}.progress")


def _read(path: Path, options: Mapping[str, Any]) -> dict[str, Finished]:
    first, *others = path.read_text("utf-8", errors="replace").splitlines() or [""]
    before = _object(first).get("options")
    if not isinstance(before, dict):
        raise ResumeError(f"{path} does not begin with the options of a run; give no --resume to begin anew.")
    if before != dict(options):
        changed = [name for name in options if before.get(name) != options[name]]
        raise ResumeError(
            f"{path} was begun with other options ({', '.join(changed)}); give the same or no --resume."
        )
    return {one[0].name: one for line in others for one in _unchanged(_object(line))}


def _object(line: str) -> dict[str, Any]:
    """What a line holds; nothing if it is damaged, as the last one of a process that was killed may be."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _unchanged(line: dict[str, Any]) -> Iterator[Finished]:
    """The finished input of a line, if the line is whole and the file has not changed since."""
    stamp = line.pop("stamp", None)
    try:
        summary = InputSummary(**line)
    except TypeError:
        return
    if summary.is_whole and isinstance(stamp, list) and stamp_of(summary.name) in ((), tuple(stamp)):
        yield summary, tuple(stamp)
