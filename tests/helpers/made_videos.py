"""Video files with faces that enter and leave at known times."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import cv2
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from tests.vision.images import FACE, astronaut, grace_hopper

WIDTH, HEIGHT = 640, 480
TIME_BASE = Fraction(1, 90_000)
SAMPLE_RATE = 48_000

ImageArray = NDArray[np.uint8]


@dataclass(frozen=True)
class Visit:
    """A person who is to be seen from `start_s` until before `end_s`, in the left or the right half."""

    portrait: str
    start_s: float
    end_s: float
    left: bool

    def is_seen(self, t: float) -> bool:
        return self.start_s <= t < self.end_s


def constant_times(seconds: float, rate: int = 30) -> list[float]:
    return [number / rate for number in range(round(seconds * rate))]


def variable_times(seconds: float, seed: int = 3) -> list[float]:
    """Times with gaps of 15 to 90 ms, as phones record in the dark."""
    random = np.random.default_rng(seed)
    times = np.concatenate([[0.0], np.cumsum(random.uniform(0.015, 0.09, round(seconds / 0.03)))])
    return [round(float(t), 4) for t in times if t < seconds]


def drawn(t: float, visits: Iterable[Visit]) -> ImageArray:
    """A frame with everybody who is seen at that time, each swaying in one half."""
    canvas: ImageArray = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    for visit in visits:
        if visit.is_seen(t):
            portrait = _portrait(visit.portrait)
            left = (20 if visit.left else 340) + round(20 * np.sin(2 * np.pi * t / 3))
            top = 90 + round(15 * np.sin(2 * np.pi * t / 2.3))
            canvas[top : top + portrait.shape[0], left : left + portrait.shape[1]] = portrait
    return canvas


def write_video(
    path: Path,
    times: Sequence[float],
    visits: Sequence[Visit] = (),
    rotation: int = 0,
    sound: bool = False,
    sound_s: float | None = None,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    paint: Callable[[float], ImageArray] | None = None,
    pixel_aspect: Fraction | None = None,
) -> Path:
    """Encode a frame for each time; with `rotation`, frames lie on their side and the file says how to turn
    them.

    `rotation` is in degrees counterclockwise, as a player must turn the frames. The sound lasts as long as
    the video, or `sound_s`. `paint` draws the frame of a time in place of the visits. A pixel is shown
    `pixel_aspect` times as wide as high.
    """
    paint = paint or partial(drawn, visits=visits)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"preset": "ultrafast", "crf": "18"})
        assert isinstance(stream, VideoStream)
        quarter = rotation // 90
        stream.width, stream.height = size if quarter % 2 == 0 else size[::-1]
        stream.pix_fmt, stream.codec_context.time_base = "yuv420p", TIME_BASE
        if pixel_aspect is not None:
            stream.codec_context.sample_aspect_ratio = pixel_aspect
        if rotation:
            stream.set_display_rotation(rotation)
        audio = container.add_stream("aac", rate=SAMPLE_RATE, layout="mono") if sound else None
        for t in times:
            image = cv2.resize(paint(t), size) if size != (WIDTH, HEIGHT) else paint(t)
            frame = VideoFrame.from_ndarray(
                np.ascontiguousarray(np.rot90(image, -quarter), np.uint8), format="bgr24"
            )
            frame.pts, frame.time_base = round(t / TIME_BASE), TIME_BASE
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if isinstance(audio, AudioStream):
            _add_sound(container, audio, times[-1] if sound_s is None else sound_s)
    return path


def write_sound(path: Path, seconds: float) -> Path:
    """A file with sound and nothing else."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
        assert isinstance(stream, AudioStream)
        _add_sound(container, stream, seconds)
    return path


def container_times(path: Path) -> list[float]:
    """The presentation times of a file, as its packets have them."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return sorted(
            float(packet.pts * packet.time_base)
            for packet in container.demux(stream)
            if packet.pts is not None and packet.time_base is not None
        )


def _add_sound(container: av.container.OutputContainer, stream: AudioStream, seconds: float) -> None:
    for start in range(0, round(seconds * SAMPLE_RATE), 1024):
        wave = np.sin(2 * np.pi * 440 * (start + np.arange(1024)) / SAMPLE_RATE)
        frame = AudioFrame.from_ndarray(wave[None].astype(np.float32), format="fltp", layout="mono")
        frame.pts, frame.sample_rate, frame.time_base = start, SAMPLE_RATE, Fraction(1, SAMPLE_RATE)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


@functools.cache
def _portrait(name: str) -> ImageArray:
    image = astronaut() if name == "astronaut" else grace_hopper()
    left, top, side = (FACE.x - 90, 0, 280) if name == "astronaut" else (80, 20, 360)
    return np.asarray(cv2.resize(image[int(top) : int(top) + side, int(left) : int(left) + side], (260, 260)))
