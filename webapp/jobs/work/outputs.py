"""The tables of a job: CSV, JSON with landmarks, Parquet where it can be written, and the report."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType

from webapp.export.file_report import FileReport
from webapp.export.file_results import Form, Results, open_results
from webapp.jobs.work.run import JobRun
from webapp.protocol import FileFrame

BATCH_FRAMES = 50
"""So many frames are written at once."""

FORMS: tuple[Form, ...] = ("csv", "json", "parquet")

REPORT = "report.html"


class Outputs(AbstractContextManager["Outputs"]):
    """Writes frames to all tables; one thread calls it. Nothing can be fetched before `publish`."""

    def __init__(self, run: JobRun) -> None:
        """Begin the tables.

        Raises:
            OSError: they cannot be written.
        """
        self._run = run
        self._report = FileReport(run.name)
        self._held: list[FileFrame] = []
        self._results: dict[str, Results] = {}
        self.frames = 0
        with ExitStack() as opened:
            for form in FORMS:
                if form != "parquet" or find_spec("pyarrow"):
                    self._results[f"results.{form}"] = results = open_results(
                        run.path(f"results.{form}"), form
                    )
                    opened.callback(results.close)
            self._opened = opened.pop_all()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()

    def add(self, frame: FileFrame, name: str) -> None:
        """Write what was found in a frame of the file that its owner knows by this name."""
        named = replace(frame, input=name)
        self._report.add(named)
        self._held.append(named)
        self.frames += 1
        if len(self._held) >= BATCH_FRAMES:
            self._flush()

    def publish(self) -> None:
        """Complete all tables, and let them be fetched."""
        self._flush()
        self._opened.close()
        self._write_report(self._run.path(REPORT))
        self._run.publish(*self._results, REPORT)

    def _flush(self) -> None:
        for results in self._results.values():
            results.add(self._held)
        self._held = []

    def _write_report(self, path: Path) -> None:
        with path.open("w", encoding="utf-8") as file:
            file.writelines(self._report.html())
