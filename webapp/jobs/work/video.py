"""The analysis of a video, and its annotated copy."""

from __future__ import annotations

from webapp.analysis import FileEngine
from webapp.errors import FileError
from webapp.jobs.work.outputs import Outputs
from webapp.jobs.work.run import JobRun
from webapp.media.annotation import VideoOverlays

ANNOTATED = "annotated.mp4"

DRAWING_UNITS = 0.5
"""To decode, draw and encode a frame takes about this much of what it takes to analyze one."""


def analyze_video(run: JobRun, engine: FileEngine) -> None:
    """Analyze a video; what was found before any damage is kept.

    Raises:
        FileError: it cannot be read to its end.
    """
    every, fps = run.record.every, run.record.fps
    frames = engine.frames_to_analyze(run.input, every, fps)
    run.expect(frames + DRAWING_UNITS * engine.frames_to_analyze(run.input))
    overlays = VideoOverlays()
    with Outputs(run) as outputs:
        try:
            for frame in engine.analyze_video(run.input, every, fps, on_decoded=lambda: run.step(0)):
                outputs.add(frame, run.name)
                overlays.add(frame)
                run.step()
        except FileError:
            if outputs.frames:
                outputs.publish()
            raise
        outputs.publish()
    _annotate(run, engine, overlays)


def _annotate(run: JobRun, engine: FileEngine, overlays: VideoOverlays) -> None:
    """Write the annotated copy; if that fails, the results are still good."""
    try:
        engine.annotate_video(
            run.input, overlays.by_index, run.path(ANNOTATED), lambda: run.step(DRAWING_UNITS)
        )
    except FileError as error:
        run.fail_input(run.name, run.reason(error))
    else:
        run.publish(ANNOTATED)
