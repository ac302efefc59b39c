"""`mien analyze`: images and videos to tables, JSON and annotated copies."""

from __future__ import annotations

import math
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import click

from webapp.analysis import FileEngine
from webapp.cli.annotated import Annotated
from webapp.cli.inputs import Input, find_inputs
from webapp.cli.output import Output
from webapp.cli.stopping import StopRequest, StopRequestedError
from webapp.cli.summary import InputSummary, print_summary
from webapp.config import Settings
from webapp.errors import FileError, MienError
from webapp.export.file_rows import printable
from webapp.media.kinds import IMAGE_SUFFIXES, VIDEO_SUFFIXES
from webapp.protocol import MAX_EVERY, FileFrame
from webapp.version import model_version

IMAGE_UNITS = 15
"""An image takes about as long as so many frames of a video; for the progress bar."""

CANNOT_RUN = 2

STOPPED = 128 + signal.SIGINT
"""The exit code of a program that Ctrl-C ended."""

FILE = click.Path(dir_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True)
class Options:
    """What is written, and which frames are analyzed."""

    csv: Path | None
    json: Path | None
    parquet: Path | None
    annotate: Path | None
    every: int
    fps: float | None
    resume: bool

    @property
    def files(self) -> dict[str, Path]:
        """The files of results by their form."""
        named = {"csv": self.csv, "json": self.json, "parquet": self.parquet}
        return {form: path for form, path in named.items() if path is not None}


def _finite(context: click.Context, parameter: click.Parameter, value: float | None) -> float | None:
    """Refuse `nan` and `inf`, which FloatRange takes."""
    if value is not None and not math.isfinite(value):
        raise click.BadParameter(f"{value} is no number of frames.")
    return value


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--csv", type=FILE, help="Write a table with a row for each face in each frame.")
@click.option("--json", type=FILE, help="Write the same with landmarks, one frame a line.")
@click.option("--parquet", type=FILE, help="Write the table as Parquet; needs pyarrow.")
@click.option(
    "--annotate",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write copies with boxes and labels to this folder: images as JPEG, videos as MP4 with their sound.",
)
@click.option(
    "--every",
    type=click.IntRange(1, MAX_EVERY),
    default=1,
    metavar="N",
    help="Of videos analyze every Nth frame.",
)
@click.option(
    "--fps",
    type=click.FloatRange(0, min_open=True),
    callback=_finite,
    metavar="N",
    help="Of videos analyze N frames a second, chosen by their times.",
)
@click.option("--resume", is_flag=True, help="Go on with a run that was stopped; finished inputs are kept.")
def analyze(paths: tuple[str, ...], **given: Any) -> None:  # noqa: ANN401 - the options
    r"""Find faces and their expressions in images and videos.

    PATH is a file, a folder (with all below it) or a pattern such as 'photos/*.jpg'.

    Images: JPEG, PNG, WebP. Videos: MP4, MOV, WebM, MKV, AVI, MPEG, GIF and others that FFmpeg reads. Results
    are written as they come: after Ctrl-C, run the same command with --resume. Nothing leaves this machine.

    \b
    Examples:
      mien analyze group.jpg
      mien analyze recording.mp4 --fps 5 --csv recording.csv --annotate out
      mien analyze photos videos --csv all.csv --json all.json --resume

    Exit codes: 0 all inputs were analyzed; 1 some failed, each is named; 2 the command cannot be carried out
    as given; 130 it was stopped.
    """
    options = Options(**given)
    if options.every > 1 and options.fps is not None:
        raise click.UsageError("Give either --every or --fps.")
    if options.resume and not options.files:
        raise click.UsageError("--resume needs the --csv, --json or --parquet of the run to go on with.")
    if len({path.resolve() for path in options.files.values()}) < len(options.files):
        raise click.UsageError("Give --csv, --json and --parquet a file of its own each.")
    inputs = find_inputs(paths, options.annotate)
    if not inputs:
        raise click.UsageError(f"There are no images or videos in {printable(', '.join(paths))}.")
    _check_files(options.files, inputs)
    sys.exit(_analyze(inputs, options))


def _check_files(files: dict[str, Path], inputs: list[Input]) -> None:
    """No file of results replaces an input or another recording, as the first one of `--csv *.mp4`.

    Raises:
        click.UsageError: one would.
    """
    taken = {os.path.realpath(one.path) for one in inputs}
    for form, path in files.items():
        if os.path.realpath(path) in taken or path.suffix.lower() in IMAGE_SUFFIXES | VIDEO_SUFFIXES:
            shown = printable(str(path))
            raise click.UsageError(
                f"--{form} would replace {shown}, an image or a video. Name another file for the results."
            )


def _analyze(inputs: list[Input], options: Options) -> int:
    """Analyze all, print what was found; the exit code."""
    try:
        settings = Settings.from_env()
        with ExitStack() as stack:
            stop = stack.enter_context(StopRequest())
            engine = stack.enter_context(FileEngine(settings))
            annotated = Annotated(engine, options.annotate, inputs)
            output = stack.enter_context(Output(options.files, _relevant(options, settings), options.resume))
            run = Run(engine, output, annotated, options, stop)
            return run.all(inputs)
    except ImportError as error:
        click.echo(f"mien: {error}; Parquet needs `pip install -r requirements-lab.txt`", err=True)
        return CANNOT_RUN
    except (OSError, MienError) as error:
        click.echo(printable(f"mien: {error}"), err=True)
        return CANNOT_RUN


def _relevant(options: Options, settings: Settings) -> dict[str, Any]:
    """What decides the results: a run goes on only with the same."""
    return {
        "files": {form: path.name for form, path in options.files.items()},
        "every": options.every,
        "fps": options.fps,
        "smoothing_s": settings.smoothing_s,
        "model": model_version(settings.model_path),
    }


class Run:
    """One run over all inputs; one thread calls it."""

    def __init__(
        self, engine: FileEngine, output: Output, annotated: Annotated, options: Options, stop: StopRequest
    ) -> None:
        self._engine = engine
        self._output = output
        self._annotated = annotated
        self._options = options
        self._stop = stop
        self._advance: Callable[[int], None] = lambda units: None
        self._summaries: dict[str, InputSummary] = {}

    def all(self, inputs: list[Input]) -> int:
        """Analyze what is not finished yet, print the summary; the exit code."""
        finished = self._output.finished
        self._summaries = {one.name: finished[one.name] for one in inputs if one.name in finished}
        skipped = len(self._summaries)
        left = [one for one in inputs if one.name not in finished]
        stopped = False
        with self._progress(left):
            try:
                for is_video, group in groupby(left, lambda one: one.is_video):
                    (self._videos if is_video else self._images)(list(group))
            except StopRequestedError:
                stopped = True
        print_summary([self._summaries[one.name] for one in inputs if one.name in self._summaries], skipped)
        if stopped:
            again = "the same command and --resume" if self._options.files else "the same command"
            click.echo(f"mien: stopped; {again} goes on", err=True)
            return STOPPED
        return int(any(summary.error for summary in self._summaries.values()))

    def _images(self, inputs: list[Input]) -> None:
        outcomes = self._engine.analyze_images(one.name for one in inputs)
        for one, outcome in zip(inputs, outcomes, strict=True):
            self._stop.check()
            with self._input(one) as summary:
                if isinstance(outcome, FileError):
                    raise outcome
                self._add(summary, outcome)
                self._annotated.image(outcome)
            self._advance(IMAGE_UNITS)

    def _videos(self, inputs: list[Input]) -> None:
        for one in inputs:
            with self._input(one) as summary, self._annotated.video(one, self._on_frame_written) as overlays:
                frames = self._engine.analyze_video(
                    one.name, self._options.every, self._options.fps, on_decoded=self._stop.check
                )
                for frame in frames:
                    self._add(summary, frame)
                    overlays.add(frame)
                    self._advance(1)

    @contextmanager
    def _input(self, one: Input) -> Iterator[InputSummary]:
        """Count what is found in an input; it is finished unless it fails or the run is stopped."""
        summary = self._summaries[one.name] = InputSummary(one.name)
        try:
            yield summary
        except FileError as error:
            summary.error = str(error)
        else:
            self._output.finish(summary, one.stamp)

    def _add(self, summary: InputSummary, frame: FileFrame) -> None:
        summary.add(frame)
        self._output.add(frame)

    def _on_frame_written(self) -> None:
        self._stop.check()

    @contextmanager
    def _progress(self, inputs: list[Input]) -> Iterator[None]:
        """Show a bar with the time left on a terminal."""
        units = sum(self._units(one) for one in inputs)
        with click.progressbar(
            length=units, label=f"Analyzing {len(inputs)} inputs", file=sys.stderr, show_percent=True
        ) as bar:
            self._advance = bar.update
            yield

    def _units(self, one: Input) -> int:
        if not one.is_video:
            return IMAGE_UNITS
        return max(1, round(self._engine.frames_to_analyze(one.name, self._options.every, self._options.fps)))
