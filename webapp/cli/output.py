"""The files of results of a run, and its journal: what was found is written in the order of the inputs."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, cast

from webapp.cli.journal import Journal, journal_path
from webapp.cli.summary import InputSummary
from webapp.errors import ResumeError
from webapp.export.file_results import Form, Results, open_results
from webapp.protocol import FileFrame

BATCH_FRAMES = 50
"""So many frames are written at once: two seconds of a video."""


class Output(AbstractContextManager["Output"]):
    """Writes frames to all files; one thread calls it.

    `finished` are the inputs that an earlier run finished.
    """

    def __init__(self, files: Mapping[str, Path], options: Mapping[str, Any], resume: bool) -> None:
        """Open the files.

        Raises:
            ResumeError: some files of the run to go on with are missing, or it had other options.
            OSError: a file cannot be written.
            ImportError: Parquet is asked for, and pyarrow is not installed.
        """
        self._held: list[FileFrame] = []
        self._to_finish: list[tuple[InputSummary, tuple[int, ...]]] = []
        self._results: list[Results] = []
        self._journal: Journal | None = None
        self.finished: dict[str, InputSummary] = {}
        with ExitStack() as opened:
            if files:
                journal = journal_path(next(iter(files.values())))
                resume = resume and _can_resume(files, journal)
                self._journal = Journal(journal, options, resume)
                opened.callback(self._journal.close)
                self.finished = dict(self._journal.finished)
            for form, path in files.items():
                results = open_results(path, cast(Form, form), self.finished.keys())
                opened.callback(results.close)
                self._results.append(results)
            self._opened = opened.pop_all()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what is held back, and close the files, also of a run that was stopped."""
        with self._opened:
            self._flush()

    def add(self, frame: FileFrame) -> None:
        """Write what was found in a frame."""
        self._held.append(frame)
        if len(self._held) >= BATCH_FRAMES:
            self._flush()

    def finish(self, summary: InputSummary, stamp: tuple[int, ...]) -> None:
        """Note that an input with this stamp is finished, once its frames are written."""
        self._to_finish.append((summary, stamp))
        if len(self._to_finish) >= BATCH_FRAMES:
            self._flush()

    def _flush(self) -> None:
        if self._held:
            for results in self._results:
                results.add(self._held)
        self._held = []
        for summary, stamp in self._to_finish:
            if self._journal is not None:
                self._journal.add(summary, stamp)
        self._to_finish = []


def _can_resume(files: Mapping[str, Path], journal: Path) -> bool:
    """Whether there is a run to go on with; the first one with --resume has no files yet.

    Raises:
        ResumeError: some of its files are missing; to begin anew would lose the others.
    """
    if not any(path.is_file() for path in files.values()):
        return False
    missing = [str(path) for path in (*files.values(), journal) if not path.is_file()]
    if missing:
        raise ResumeError(
            f"{' and '.join(missing)} of the run to go on with cannot be found. Give the same files as then, "
            "or no --resume to analyze everything again."
        )
    return True
