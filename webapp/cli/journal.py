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

from webapp.cli.summary import InputSummary
from webapp.errors import ResumeError


class Journal:
    """Written by one thread; `finished` has the inputs of the earlier run that have not changed since."""

    def __init__(self, path: Path, options: Mapping[str, Any], resume: bool) -> None:
        """Begin a journal, or go on with one.

        Raises:
            ResumeError: it was begun with other options, or does not say with which.
            OSError: it cannot be read or written.
        """
        self.finished: dict[str, InputSummary] = {}
        if resume and path.is_file():
            self.finished = _read(path, options)
        unfinished = path.with_name(f"{path.name}.part")
        self._file = unfinished.open("w", encoding="utf-8")
        self._write({"options": dict(options)})
        for summary in self.finished.values():
            self.add(summary)
        unfinished.replace(path)

    def add(self, summary: InputSummary) -> None:
        """Remember that an input is finished."""
        self._write({**asdict(summary), "stamp": _stamp(summary.name)})

    def close(self) -> None:
        """Nothing more is added."""
        self._file.close()

    def _write(self, line: Mapping[str, Any]) -> None:
        self._file.write(f"{json.dumps(line)}\n")
        self._file.flush()


def journal_path(results: Path) -> Path:
    """Where the journal of a file of results is."""
    return results.with_name(f"{results.name}.progress")


def _read(path: Path, options: Mapping[str, Any]) -> dict[str, InputSummary]:
    first, *others = path.read_text("utf-8", errors="replace").splitlines() or [""]
    before = _object(first).get("options")
    if not isinstance(before, dict):
        raise ResumeError(f"{path} does not begin with the options of a run; give no --resume to begin anew.")
    if before != dict(options):
        changed = [name for name in options if before.get(name) != options[name]]
        raise ResumeError(
            f"{path} was begun with other options ({', '.join(changed)}); give the same or no --resume."
        )
    return {summary.name: summary for line in others for summary in _unchanged(_object(line))}


def _object(line: str) -> dict[str, Any]:
    """What a line holds; nothing if it is damaged, as the last one of a process that was killed may be."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _unchanged(line: dict[str, Any]) -> Iterator[InputSummary]:
    """The finished input of a line, if the line is whole and the file has not changed since."""
    stamp = line.pop("stamp", None)
    try:
        summary = InputSummary(**line)
    except TypeError:
        return
    if summary.is_whole and stamp == _stamp(summary.name):
        yield summary


def _stamp(name: str) -> list[int]:
    """The size and the time of change of a file, so that a changed one is analyzed again."""
    try:
        status = Path(name).stat()
    except (OSError, ValueError):  # gone, or no name of a file
        return []
    return [status.st_size, status.st_mtime_ns]
