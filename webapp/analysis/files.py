"""Analyzes image and video files in this process, with the models and the tracking of the live view.

    from webapp.analysis import analyze_image, analyze_video

    for face in analyze_image("group.jpg").faces:
        print(face.box, face.expression)

    for frame in analyze_video("interview.mp4", fps=5):
        print(frame.t, [face.id for face in frame.faces])

The serving process never imports this module: it holds vision libraries. docs/python.md says more.
"""

from __future__ import annotations

import functools
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import TracebackType

from webapp.analysis.detection_scheduler import DetectionScheduler, Search
from webapp.analysis.tracker import Tracker
from webapp.config import Settings
from webapp.errors import FailureCode, FileError, FrameError, TooLargeError
from webapp.media.annotation import Overlay, annotate, write_jpeg
from webapp.media.video import DecodedFrame, Sampling, VideoLimits, VideoReader
from webapp.media.video_writer import write_annotated
from webapp.protocol import Analysis, FileFrame, ImageLimits, Job, Region, with_probabilities
from webapp.vision.decode import Decoded, decode
from webapp.vision.pipeline import Pipeline
from webapp.vision.search.changes import SceneChanges
from webapp.vision.search.tiles import tile, tile_count

FRAMES_UNDER_WAY = 3
"""Two keep two cores busy four fifths of the time, as frames with a search take twice as long as others. It
does not depend on the number of threads, so the same file gives the same results on every machine."""

MAX_AGE_S = 0.105
"""The regions of tracked faces come from a frame at most this much earlier in the file, as faces move far in
that time. With less than 28 frames a second two are under way at a time, with less than 19 one.
"""

DETECTION_INTERVAL_S = 0.1
"""How often the whole frame is scanned for new faces: in the live view a face may wait longer, but in a file
the time at which it enters is a result."""

MAX_SEARCH_THREADS = 4
"""Over which a thorough search of one image is spread; each needs detectors of its own."""

IMAGES_AHEAD = 2
"""How many images per thread wait for their turn to be read by the caller."""

HEIC_BRANDS = (b"heic", b"heix", b"mif1", b"msf1", b"avif")

FilePath = str | os.PathLike[str]


class FileEngine(AbstractContextManager["FileEngine"]):
    """The loaded models, one set for each thread that is in use; any thread may call it at any time.

    `threads` is the number of cores that may be used, by default all of them.

    Raises:
        ModelFileError: a model file is missing or not the expected one.
    """

    def __init__(self, settings: Settings | None = None, threads: int | None = None) -> None:
        self.settings = settings or Settings()
        self.threads = threads or os.cpu_count() or 1
        self._executor = ThreadPoolExecutor(self.threads, "analysis")
        self._idle = deque([self._loaded()])

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let the frames under way end."""
        self._executor.shutdown(cancel_futures=True)

    @property
    def video_limits(self) -> VideoLimits:
        """The largest frame and the longest video that the settings allow."""
        settings = self.settings
        return VideoLimits(settings.max_file_pixels, 60.0 * settings.max_video_minutes)

    def analyze_image(self, path: FilePath) -> FileFrame:
        """Find the faces in a photograph, from left to right, numbered from 1.

        Raises:
            FileError: it cannot be read, or is over the limits; the message names the file.
        """
        return self._executor.submit(self._image, os.fspath(path), self.threads).result()

    def analyze_images(self, paths: Iterable[FilePath]) -> Iterator[FileFrame | FileError]:
        """Analyze images on all threads, in their order; an image that cannot be read gives its error."""
        pending: deque[Future[FileFrame]] = deque()
        try:
            for path in paths:
                pending.append(self._executor.submit(self._image, os.fspath(path), 1))
                if len(pending) >= IMAGES_AHEAD * self.threads:
                    yield _outcome(pending.popleft())
            while pending:
                yield _outcome(pending.popleft())
        finally:
            for future in pending:
                future.cancel()

    def analyze_video(
        self,
        path: FilePath,
        every: int = 1,
        fps: float | None = None,
        smoothing_s: float | None = None,
        on_decoded: Callable[[], None] = lambda: None,
    ) -> Iterator[FileFrame]:
        """Track the faces in a video, frame by frame.

        Args:
            path: the file.
            every: analyze every `every`th frame.
            fps: instead, analyze so many frames a second, chosen by their times.
            smoothing_s: the time constant of the smoothed probabilities; None for the setting.
            on_decoded: called for each frame, also for those that are left out.

        Raises:
            FileError: it cannot be read, or is over the limits. Frames before the damage come first.
        """
        tracking = _VideoTracking(self.settings.smoothing_s if smoothing_s is None else smoothing_s)
        pending: deque[tuple[DecodedFrame, Future[Analysis]]] = deque()
        with VideoReader(Path(path), self.video_limits, max(1, self.threads - 1)) as video:
            try:
                for frame in video.frames(Sampling(every, fps), on_decoded):
                    while pending and _is_due(pending, frame.t - tracking.tracked_s):
                        yield tracking.result(os.fspath(path), pending.popleft())
                    pending.append((frame, self._executor.submit(self._frame, frame, tracking.job(frame))))
            except FileError:
                yield from (tracking.result(os.fspath(path), each) for each in pending)
                raise
            yield from (tracking.result(os.fspath(path), each) for each in pending)

    def frames_to_analyze(self, path: FilePath, every: int = 1, fps: float | None = None) -> float:
        """How many frames of a video there are to analyze, as far as it says.

        0 where it does not say how long it is, and 1 where it cannot be read.
        """
        try:
            with VideoReader(Path(path), self.video_limits) as video:
                rate = float(video.rate)
                return (video.duration_s or 0.0) * (rate / every if fps is None else min(fps, rate))
        except FileError:
            return 1.0

    def annotate_image(self, frame: FileFrame, target: Path) -> None:
        """Write a JPEG of an analyzed image with its faces drawn on it.

        Raises:
            FileError: the image cannot be read any more, or the target cannot be written.
        """
        overlays = [Overlay.of(face) for face in frame.faces]
        try:
            write_jpeg(target, annotate(self._decoded(frame.input).pixels, overlays))
        except (FrameError, OSError) as error:
            raise FileError(f"{frame.input}: {target} could not be written: {error}", "no_copy") from error

    def annotate_video(
        self,
        path: FilePath,
        overlays: Mapping[int, Sequence[Overlay]],
        target: Path,
        on_frame: Callable[[], None] = lambda: None,
    ) -> None:
        """Write an MP4 of an analyzed video; see `write_annotated`."""
        write_annotated(Path(path), target, self.video_limits, overlays, on_frame, self.threads)

    def _image(self, name: str, threads: int) -> FileFrame:
        try:
            with self._pipeline() as pipeline:
                analysis = pipeline.analyze_photo(self._decoded(name), min(threads, MAX_SEARCH_THREADS))
        except FrameError as error:
            code: FailureCode = "too_large" if isinstance(error, TooLargeError) else "bad_frame"
            raise FileError(f"{name}: {error}", code) from error
        except MemoryError as error:
            text = f"{name}: there is not enough memory for an image of this size."
            raise FileError(text, "no_memory") from error
        faces = tuple(
            with_probabilities(face, face.probabilities, number)
            for number, face in enumerate(analysis.faces, 1)
        )
        return FileFrame(name, 0, 0.0, analysis.width, analysis.height, faces)

    def _decoded(self, name: str) -> Decoded:
        limits = ImageLimits(self.settings.max_file_bytes, self.settings.max_file_pixels)
        return decode(read_image(Path(name), limits), limits=limits)

    def _frame(self, frame: DecodedFrame, job: Job) -> Analysis:
        height, width = frame.pixels.shape[:2]
        with self._pipeline() as pipeline:
            image = Decoded(frame.pixels, width, height)
            return pipeline.analyze_decoded(image, job, min(self.threads, MAX_SEARCH_THREADS))

    def _loaded(self) -> Pipeline:
        return Pipeline(self.settings.runtime, self.settings.model_path)

    @contextmanager
    def _pipeline(self) -> Iterator[Pipeline]:
        """Models that no other thread uses meanwhile; loaded if there are none. A deque needs no lock."""
        try:
            pipeline = self._idle.pop()
        except IndexError:
            pipeline = self._loaded()
        try:
            yield pipeline
        finally:
            self._idle.append(pipeline)


def _is_due(pending: Sequence[tuple[DecodedFrame, Future[Analysis]]], age_s: float) -> bool:
    """Whether the oldest frame under way has to end before the next begins, with regions of this age."""
    return len(pending) == FRAMES_UNDER_WAY or age_s > MAX_AGE_S


class _VideoTracking:
    """The faces of one video over its own time; one thread calls it."""

    def __init__(self, smoothing_s: float) -> None:
        self._tracker = Tracker(smoothing_s)
        self._detections = DetectionScheduler(DETECTION_INTERVAL_S)
        self._changes = SceneChanges()
        self._now_s = float("-inf")
        self.tracked_s = float("-inf")  # the time of the newest result

    def job(self, frame: DecodedFrame) -> Job:
        """Where to look for faces in a frame."""
        self._now_s = max(self._now_s, frame.t)
        regions: tuple[Region, ...] = self._tracker.regions(self._now_s)
        search = self._detections.next_detection(self._now_s, tracking=bool(regions), has_spare_capacity=True)
        return Job(b"", regions, *self._needed(search, frame, regions))

    def _needed(self, search: Search, frame: DecodedFrame, regions: tuple[Region, ...]) -> Search:
        """The search without the parts that have not changed since they were last searched."""
        if not any(search):
            return search
        self._changes.see(frame.pixels, regions, self._now_s)
        return Search(
            search.detect and self._changes.is_due("whole"),
            None if search.tile is None else self._changed_tile(frame),
            search.second_look and self._needs_second_look(regions),
        )

    def _needs_second_look(self, regions: tuple[Region, ...]) -> bool:
        """With faces, one is taken only when they are lost in this very frame."""
        if regions:
            return not self._changes.is_empty("second look")
        return self._changes.is_due("second look", searches=1)

    def _changed_tile(self, frame: DecodedFrame) -> int | None:
        """The number of the tile that has to be searched and has waited longest, if any."""
        height, width = frame.pixels.shape[:2]
        tiles = [tile(width, height, number) for number in range(tile_count(width, height))]
        changed = self._changes.next_tile(tiles)
        return None if changed is None else tiles.index(changed)

    def result(self, name: str, pending: tuple[DecodedFrame, Future[Analysis]]) -> FileFrame:
        """Wait for the analysis of a frame, and track its faces; frames come in order."""
        frame, analysis = pending[0], pending[1].result()
        faces = self._tracker.update(analysis.faces, frame.t, analysis.width)
        self.tracked_s = frame.t
        return FileFrame(name, frame.index, frame.t, analysis.width, analysis.height, faces)


def read_image(path: Path, limits: ImageLimits) -> bytes:
    """The content of an image file.

    Raises:
        FileError: it cannot be read, has too many bytes, or is of a kind that is not taken.
    """
    try:
        if not path.is_file():
            raise FileError(
                f"{path}: there is no such file." if not path.exists() else f"{path}: is no file."
            )
        size = path.stat().st_size
        if size > limits.max_bytes:
            raise FileError(
                f"{path}: the file has {size:,} bytes; at most {limits.max_bytes:,} are accepted "
                "(MIEN_MAX_FILE_MB). Send a smaller one.",
                "too_large",
            )
        content = path.read_bytes()
    except OSError as error:
        raise FileError(f"{path}: the file cannot be read: {error.strerror}.") from error
    if not content:
        raise FileError(f"{path}: the file is empty.", "empty")
    if content[4:8] == b"ftyp" and content[8:12] in HEIC_BRANDS:
        text = f"{path}: HEIC and AVIF images are not read; convert it to JPEG, PNG or WebP."
        raise FileError(text, "unsupported_image")
    return content


def _outcome(future: Future[FileFrame]) -> FileFrame | FileError:
    try:
        return future.result()
    except FileError as error:
        return error


@functools.cache
def shared_engine() -> FileEngine:
    """The engine of the functions below, with the settings of the environment; loaded by the first call."""
    return FileEngine(Settings.from_env())


def analyze_image(path: FilePath) -> FileFrame:
    """See `FileEngine.analyze_image`; the models are loaded once and stay."""
    return shared_engine().analyze_image(path)


def analyze_video(
    path: FilePath, every: int = 1, fps: float | None = None, smoothing_s: float | None = None
) -> Iterator[FileFrame]:
    """See `FileEngine.analyze_video`; the models are loaded once and stay."""
    return shared_engine().analyze_video(path, every, fps, smoothing_s)
