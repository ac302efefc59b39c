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


class OptionsChangedError(Exception):
    """The run to go on with was made with other options."""


class Journal:
    """Written by one thread; `finished` has the inputs of the earlier run that have not changed since."""

    def __init__(self, path: Path, options: Mapping[str, Any], resume: bool) -> None:
        """Begin a journal, or go on with one.

        Raises:
            OptionsChangedError: it was begun with other options.
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
    lines = list(_lines(path))
    before = lines[0].get("options") if lines else None
    if before is not None and before != dict(options):
        changed = [name for name in options if before.get(name) != options[name]]
        raise OptionsChangedError(
            f"{path} was begun with other options ({', '.join(changed)}); give the same or no --resume."
        )
    finished = {}
    for line in lines[1:]:
        if line.pop("stamp", None) == _stamp(line["name"]):
            finished[line["name"]] = InputSummary(**line)
    return finished


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """The lines that are whole: a process that was killed may have left half of the last."""
    for line in path.read_text("utf-8", errors="replace").splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            return


def _stamp(name: str) -> list[int]:
    """The size and the time of change of a file, so that a changed one is analyzed again."""
    try:
        status = Path(name).stat()
    except OSError:
        return []
    return [status.st_size, status.st_mtime_ns]
