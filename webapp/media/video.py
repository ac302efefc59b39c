"""Decodes video files with PyAV (FFmpeg), within limits and with the container's own times.

    with VideoReader(path, limits) as video:
        for frame in video.frames(Sampling(every=2)):
            ...   # frame.index, frame.t, frame.pixels

A file may come from anyone. Nothing that it claims is believed: its number of frames and its duration only
serve to estimate progress. Its format must be one of FORMATS, none of which names other files to open; FFmpeg
allocates no frame over the limit; and reading ends at the longest duration that is taken, however much
follows.
"""

from __future__ import annotations

import heapq
import math
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from webapp.errors import FileError

FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,ogg,asf,flv,gif"
"""Containers that hold their streams themselves. A playlist could name any file or address."""

MAX_FRAMES_PER_S = 240
"""The mean rate over the whole file; a file of a few bytes can claim millions of frames in a second."""

MAX_DECODER_THREADS = 2
"""More gain little beside the analysis."""

MAX_STEP_BACK_S = 0.5
"""A larger step back means that the clock was reset, as in files that were joined."""

MAX_PIXEL_ASPECT = 4
"""The most that the sample aspect ratio, or its inverse, may be; pixels that claim more count as square."""

END_TOLERANCE_S = 1.0
END_TOLERANCE_FRACTION = 0.05
"""A video may end this much before the duration that its container gives, and is not taken for truncated."""


class VideoLimits(NamedTuple):
    """The largest frame and the longest video that are taken."""

    max_pixels: int
    max_s: float


@dataclass(frozen=True, slots=True, eq=False)
class DecodedFrame:
    """One frame: its number from 0, its presentation time in seconds, and its pixels.

    `pixels` is (height, width, 3) uint8 BGR, upright, with square pixels.
    """

    index: int
    t: float
    pixels: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which frames are taken: every `every`th, or `fps` a second by their times, if that is given."""

    every: int = 1
    fps: float | None = None

    def __post_init__(self) -> None:
        is_rate = self.fps is None or 0 < self.fps < math.inf
        if self.every < 1 or not is_rate or (self.every > 1 and self.fps):
            raise ValueError(
                f"Sampling needs either every >= 1 or fps > 0; got every={self.every}, fps={self.fps}."
            )

    def chooser(self) -> _Chooser:
        """Decides for the frames of one video, in order."""
        return _Chooser(self)


class _Chooser:
    def __init__(self, sampling: Sampling) -> None:
        self._sampling = sampling
        self._first_t = 0.0
        self._taken = 0

    def takes(self, index: int, t: float) -> bool:
        """Whether the next frame is one to take; with `fps` the first at or after each due time."""
        if self._sampling.fps is None:
            return index % self._sampling.every == 0
        if index == 0:
            self._first_t = t
        slot = round((t - self._first_t) * self._sampling.fps, 6)
        if slot < self._taken:
            return False
        self._taken = int(slot) + 1
        return True


class VideoReader(AbstractContextManager["VideoReader"]):
    """One open video; one thread uses it, and reads its frames once. At most `threads` cores decode.

    Raises:
        FileError: it is no video that can be read, or is over the limits; the message names the file.
    """

    def __init__(self, path: Path, limits: VideoLimits, threads: int = MAX_DECODER_THREADS) -> None:
        self._path = path
        self._limits = limits
        self._reformatter = VideoReformatter()  # kept, as it takes 0.2 ms to prepare
        self._container = open_container(path)
        try:
            self._stream = self._video_stream()
            self._check_size(self._stream.codec_context.width, self._stream.codec_context.height)
            self._stream.codec_context.options = {"max_pixels": str(limits.max_pixels)}
            self._stream.codec_context.thread_count = min(threads, MAX_DECODER_THREADS)
            self._stream.thread_type = "AUTO"
        except BaseException:
            self._container.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._container.close()

    @property
    def duration_s(self) -> float | None:
        """The duration that the file claims, within the limit; None if it claims none."""
        claimed_s = self._claimed_end_s(0.0) or self._container_duration_s
        return claimed_s and min(claimed_s, self._limits.max_s)

    @property
    def rate(self) -> Fraction:
        """The mean frames per second that the file claims; 25 if it claims none."""
        return self._stream.average_rate or self._stream.guessed_rate or Fraction(25)

    @property
    def time_base(self) -> Fraction:
        """The unit of the container's times, in seconds."""
        return self._stream.time_base or Fraction(1, 1000)

    def frames(
        self,
        sampling: Sampling = Sampling(),  # noqa: B008 - frozen
        on_decoded: Callable[[], None] = lambda: None,
    ) -> Iterator[DecodedFrame]:
        """The frames that are taken, in the order of presentation; `on_decoded` is called for all others too.

        Raises:
            FileError: the rest of the file is damaged, truncated, or over the limits.
        """
        chooser = sampling.chooser()
        start_s = last_t = None
        shown_s = 0.0
        for index, (frame, t) in enumerate(self._timed_frames()):
            on_decoded()
            start_s = t if start_s is None else start_s
            last_t, shown_s = t, float((frame.duration or 0) * self.time_base)
            self._check_length(index, t - start_s)
            if chooser.takes(index, t):
                yield DecodedFrame(index, t, self._upright(frame))
        if last_t is None or start_s is None:
            raise FileError(f"{self._path}: the video has no frame that can be decoded.", "bad_video")
        self._check_end(start_s, last_t, shown_s)

    def _timed_frames(self) -> Iterator[tuple[VideoFrame, float]]:
        """All frames with their times, which never go back; see `_Clock`."""
        clock = _Clock(1 / float(self.rate))
        try:
            for frame, time_s in self._decoded():
                self._check_size(frame.width, frame.height)
                yield frame, clock.shown_at(time_s)
        except (av.FFmpegError, OSError, MemoryError) as error:
            t = clock.last_s
            text = (
                f"{self._path}: the video is damaged after {max(0.0, t or 0.0):.1f} s ({_reason(error)}). "
                "What was decoded until then is kept; send the complete file for the rest."
            )
            if t is None:
                raise FileError(text, "bad_video") from error
            raise FileError(text, "damaged_video", after_s=round(t, 1)) from error

    def _decoded(self) -> Iterator[tuple[VideoFrame, float | None]]:
        """All frames in the order of presentation, with the container's times.

        AVI knows no times: FFmpeg counts its packets, and may leave these numbers in the order of decoding.
        """
        numbers: list[float] = []
        is_avi = self._container.format.name == "avi"
        for packet in self._container.demux(self._stream):
            if is_avi and packet.pts is not None:
                heapq.heappush(numbers, float(packet.pts * self.time_base))
            for frame in packet.decode():
                yield frame, heapq.heappop(numbers) if numbers else frame.time

    def _video_stream(self) -> VideoStream:
        streams = [
            stream
            for stream in self._container.streams.video
            if not stream.disposition & stream.disposition.attached_pic
        ]
        if not streams or streams[0].codec_context is None:
            raise FileError(
                f"{self._path}: the file holds no video; expected one like MP4, MOV, WebM or MKV.",
                "bad_video",
            )
        return streams[0]

    def _check_size(self, width: int, height: int) -> None:
        if width * height > self._limits.max_pixels:
            raise FileError(
                f"{self._path}: the video has {width:,} x {height:,} pixels; at most "
                f"{self._limits.max_pixels:,} are accepted (MIEN_MAX_FILE_MEGAPIXELS). Send a smaller one.",
                "large_video",
                width=width,
                height=height,
            )

    def _upright(self, frame: VideoFrame) -> NDArray[np.uint8]:
        """The pixels of a frame, scaled to square ones and turned as the file's rotation says.

        Raises:
            FileError: the frame then has more pixels than the limit.
        """
        width, height = frame.width, frame.height
        aspect = _pixel_aspect(self._stream)
        if aspect != 1:  # as on DVDs: 720 x 576 pixels, shown as 1024 x 576
            width, height = round(width * max(aspect, 1)), round(height / min(aspect, 1))
            self._check_size(width, height)
        scaled = self._reformatter.reformat(frame, width, height, format="bgr24")
        pixels = np.asarray(scaled.to_ndarray(), np.uint8)
        turns = round(frame.rotation / 90) % 4
        return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels

    def _check_length(self, index: int, t: float) -> None:
        if t > self._limits.max_s or index > MAX_FRAMES_PER_S * self._limits.max_s:
            minutes = self._limits.max_s / 60
            raise FileError(
                f"{self._path}: the video is longer than {minutes:g} minutes, or has more frames than that; "
                "the rest is left out. Split it, or set MIEN_MAX_VIDEO_MINUTES.",
                "long_video",
                minutes=minutes,
            )

    def _check_end(self, start_s: float, last_t: float, shown_s: float) -> None:
        """A file whose end is missing ends early, without any error of the decoder.

        `shown_s` is how long the last frame says that it is shown: a still may stay for long.
        """
        end_s = self._claimed_end_s(start_s)
        if end_s is None or self._container.format.name == "gif":
            return
        missing_s = end_s - last_t - max(1 / float(self.rate), shown_s)
        if missing_s > max(END_TOLERANCE_S, END_TOLERANCE_FRACTION * (end_s - start_s)):
            raise FileError(
                f"{self._path}: the video ends after {last_t - start_s:.1f} s, but claims "
                f"{end_s - start_s:.1f} s: its end is missing. What was decoded is kept; send the complete "
                "file for the rest.",
                "truncated_video",
                after_s=round(last_t - start_s, 1),
                claimed_s=round(end_s - start_s, 1),
            )

    def _claimed_end_s(self, start_s: float) -> float | None:
        """When the frame that begins at `start_s` ends, as the file claims; its sound may last longer.

        Matroska and WebM have no duration of a stream, but most often a tag, which counts from 0.
        """
        stream = self._stream
        if (
            self._container.format.name == "avi" and stream.frames > 0
        ):  # it takes what is left for its duration
            return start_s + stream.frames / float(self.rate)
        if stream.duration and stream.time_base and stream.duration > 0:
            return start_s + float(stream.duration * stream.time_base)
        tagged_s = _seconds(stream.metadata.get("DURATION", ""))
        if tagged_s is None and len(self._container.streams) == 1:
            return self._container_duration_s
        return tagged_s

    @property
    def _container_duration_s(self) -> float | None:
        duration = self._container.duration
        return duration / av.time_base if duration and duration > 0 else None


class _Clock:
    """The presentation times of a video's frames, which never go back.

    A frame without a time follows the previous one at the mean rate. So does a frame after which the clock
    was reset, and later times continue from there. A frame that is a little back gets the previous time.
    """

    def __init__(self, step_s: float) -> None:
        self._step_s = step_s
        self._offset_s = 0.0
        self.last_s: float | None = None

    def shown_at(self, time_s: float | None) -> float:
        """When the next frame is shown, in seconds."""
        last_s, next_s = self.last_s, 0.0 if self.last_s is None else self.last_s + self._step_s
        t = next_s if time_s is None else time_s + self._offset_s
        if last_s is not None and t < last_s - MAX_STEP_BACK_S:
            self._offset_s += next_s - t
            t = next_s
        self.last_s = t if last_s is None else max(t, last_s)
        return self.last_s


def _pixel_aspect(stream: VideoStream) -> float:
    """The width of a video's pixels over their height, as they are shown."""
    aspect = float(stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio or 1)
    return aspect if 1 / MAX_PIXEL_ASPECT <= aspect <= MAX_PIXEL_ASPECT else 1.0


def is_video(path: Path) -> bool:
    """Whether the file can be opened as a video, whatever its name is."""
    try:
        with open_container(path) as container:
            return bool(container.streams.video)
    except FileError:
        return False


def open_container(path: Path) -> InputContainer:
    """Open a file of one of the FORMATS; no other file is ever opened for it.

    Raises:
        FileError: it is no such file.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise FileError(f"{path}: this is no regular file; pipes, devices and streams are not read.")
        if status.st_size == 0:
            raise FileError(f"{path}: the file is empty.", "empty")
        options = {"format_whitelist": FORMATS, "protocol_whitelist": "file"}
        return av.open(f"file:{path.absolute()}", container_options=options, metadata_errors="replace")
    except (av.FFmpegError, OSError, MemoryError, ValueError) as error:
        raise FileError(
            f"{path}: the file cannot be read as a video ({_reason(error)}). Expected a complete MP4, "
            "MOV, WebM, MKV, AVI, MPEG or GIF file.",
            "bad_video",
        ) from error


def _seconds(duration: str) -> float | None:
    """The seconds of a tag such as 00:01:05.500000000; None if it is no duration."""
    found = re.fullmatch(r"(\d{1,9}):(\d\d):(\d\d(?:\.\d{1,9})?)", duration, re.ASCII)
    if found is None:
        return None
    hours, minutes, seconds = map(float, found.groups())
    return 3600 * hours + 60 * minutes + seconds or None


def _reason(error: BaseException) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
