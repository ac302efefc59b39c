"""The analysis of an image, or of a ZIP of images."""

from __future__ import annotations

import zipfile
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from webapp.analysis import FileEngine
from webapp.errors import FileError
from webapp.jobs.record import Reason
from webapp.jobs.work.archive import ImageArchive
from webapp.jobs.work.outputs import Outputs
from webapp.jobs.work.run import JobRun
from webapp.protocol import FileFrame

ANNOTATED_IMAGE = "annotated.jpg"
ANNOTATED_IMAGES = "annotated.zip"


def analyze_image(run: JobRun, engine: FileEngine) -> None:
    """Analyze a photograph.

    Raises:
        FileError: it cannot be read.
    """
    frame = engine.analyze_image(run.input)
    run.step(0.7)
    with Outputs(run) as outputs:
        outputs.add(frame, run.name)
        outputs.publish()
    try:
        engine.annotate_image(frame, run.path(ANNOTATED_IMAGE))
    except FileError as error:
        run.fail_input(run.name, run.reason(error))
    else:
        run.publish(ANNOTATED_IMAGE)


def analyze_images(run: JobRun, engine: FileEngine) -> None:
    """Analyze all images of a ZIP; those that cannot be read are listed with the reason.

    Raises:
        FileError: the archive is refused, or none of its images can be read.
    """
    with ImageArchive(run.input, run.name, engine.settings) as archive, Outputs(run) as outputs:
        run.expect(len(archive.entries))
        with zipfile.ZipFile(run.path(ANNOTATED_IMAGES), "w", zipfile.ZIP_STORED) as annotated:
            for name, frame in _analyzed(run, engine, archive):
                outputs.add(frame, name)
                _add_annotated(run, engine, frame, annotated, name)
        if not outputs.frames:
            first = run.record.failures[0].reason.text
            raise FileError(
                f"{run.name}: none of its images can be analyzed. The first one: {first}", "no_image_analyzed"
            )
        outputs.publish()
    run.publish(ANNOTATED_IMAGES)


def _analyzed(run: JobRun, engine: FileEngine, archive: ImageArchive) -> Iterator[tuple[str, FileFrame]]:
    """The images one by one with their names; each is on the disk only while it is needed."""
    under_way: deque[tuple[str, Path]] = deque()

    def extracted() -> Iterator[Path]:
        for number, entry in enumerate(archive.entries):
            path = run.path(f"image-{number}")
            try:
                archive.extract(entry, path)
            except FileError as error:
                run.fail_input(entry.filename, Reason.of(error))
                run.step()
                continue
            under_way.append((entry.filename, path))
            yield path

    for outcome in engine.analyze_images(extracted()):
        name, path = under_way.popleft()
        if isinstance(outcome, FileFrame):
            yield name, outcome
        else:
            text = str(outcome).replace(str(path), name)
            run.fail_input(name, replace(Reason.of(outcome), text=text))
        path.unlink(missing_ok=True)
        run.step()


def _add_annotated(
    run: JobRun, engine: FileEngine, frame: FileFrame, annotated: zipfile.ZipFile, name: str
) -> None:
    """Draw an image; if that fails, its results are still good."""
    drawn = Path(f"{frame.input}.jpg")
    try:
        engine.annotate_image(frame, drawn)
        annotated.write(drawn, f"{name}.annotated.jpg")
    except FileError as error:
        run.fail_input(name, replace(Reason.of(error), text=str(error).replace(frame.input, name)))
    drawn.unlink(missing_ok=True)
