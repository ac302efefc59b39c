"""Frames and their times from containers and codecs of many kinds."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from tests.helpers.made_videos import constant_times, container_times, variable_times
from webapp.errors import FileError
from webapp.media.video import Sampling, VideoLimits, VideoReader

LIMITS = VideoLimits(max_pixels=1_000_000, max_s=600)
B_FRAMES = {"bf": "2", "b_strategy": "0"}
FAST = {"preset": "ultrafast", "x265-params": "log-level=none"}
REALTIME = {"deadline": "realtime", "cpu-used": "8"}

KINDS = {
    "MP4 with B-frames": ("x.mp4", "libx264", "yuv420p", {"bf": "3"}),
    "MOV": ("x.mov", "mjpeg", "yuvj420p", {}),
    "MOV with alpha": ("x.mov", "qtrle", "argb", {}),
    "MKV with B-frames": ("x.mkv", "libx264", "yuv420p", {"bf": "3"}),
    "MKV of 10 bits": ("x.mkv", "libx264", "yuv420p10le", {"preset": "ultrafast"}),
    "HEVC of 10 bits": ("x.mp4", "libx265", "yuv420p10le", FAST),
    "WebM": ("x.webm", "libvpx-vp9", "yuv420p", REALTIME),
    "WebM with alpha": ("x.webm", "libvpx-vp9", "yuva420p", REALTIME),
    "transport stream": ("x.ts", "libx264", "yuv420p", {"bf": "3"}),
    "gray": ("x.mkv", "ffv1", "gray", {}),
}
"""By name: the file, the encoder, its kind of pixels and its options."""

RESOLUTION_S = 0.0011
"""Matroska and WebM round times to a millisecond."""


def write(
    path: Path,
    codec: str,
    times: Sequence[float],
    pix_fmt: str = "yuv420p",
    options: dict[str, str] | None = None,
    size: tuple[int, int] = (128, 96),
) -> Path:
    """Encode a frame for each time, each a little brighter than the one before it."""
    time_base = Fraction(1, 30) if path.suffix == ".avi" else Fraction(1, 90_000)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=30, options=options or {})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
        stream.codec_context.time_base = time_base
        for number, t in enumerate(times):
            shade = np.full((size[1], size[0], 3), (20 + 4 * number) % 256, np.uint8)
            frame = VideoFrame.from_ndarray(shade, format="bgr24")
            frame.pts, frame.time_base = round(t / time_base), time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def read(path: Path, sampling: Sampling = Sampling()) -> tuple[list[float], list[float]]:  # noqa: B008 - frozen
    """The times of the frames, and how bright they are."""
    with VideoReader(path, LIMITS) as video:
        frames = [(frame.t, float(frame.pixels.mean())) for frame in video.frames(sampling)]
    return [t for t, _ in frames], [shade for _, shade in frames]


@pytest.mark.parametrize("kind", KINDS)
def test_every_frame_comes_in_order_with_the_time_of_the_container(tmp_path: Path, kind: str) -> None:
    name, codec, pix_fmt, options = KINDS[kind]
    intended = variable_times(1.2)
    video = write(tmp_path / name, codec, intended, pix_fmt, options)
    times, shades = read(video)
    assert times == pytest.approx(container_times(video), abs=0.001)
    start_s = times[0] - intended[0]
    assert times == pytest.approx([start_s + t for t in intended], abs=RESOLUTION_S)
    assert shades == sorted(shades)


@pytest.mark.parametrize("codec", ["mpeg4", "libx264", "mjpeg"])
def test_frames_of_an_avi_are_a_frame_apart_even_with_b_frames(tmp_path: Path, codec: str) -> None:
    pix_fmt, options = ("yuvj420p", {}) if codec == "mjpeg" else ("yuv420p", B_FRAMES)
    video = write(tmp_path / "x.avi", codec, constant_times(1), pix_fmt, options)
    times, shades = read(video)
    assert times == pytest.approx(container_times(video), abs=0.001)
    assert np.diff(times) == pytest.approx(1 / 30, abs=0.001)
    assert shades == sorted(shades)


@pytest.mark.parametrize("name", ["x.mp4", "x.mov", "x.mkv"])
def test_a_start_after_zero_is_kept(tmp_path: Path, name: str) -> None:
    video = write(tmp_path / name, "libx264", [5 + t for t in constant_times(1)], options={"bf": "2"})
    times, _ = read(video)
    assert len(times) == 30 and times[0] == pytest.approx(5, abs=0.001)
    assert times == pytest.approx(container_times(video), abs=0.001)


@pytest.mark.parametrize(
    ("name", "codec"),
    [("x.mp4", "libx264"), ("x.mkv", "libx264"), ("x.webm", "libvpx-vp9"), ("x.avi", "mpeg4")],
)
def test_a_video_of_one_frame_has_one(tmp_path: Path, name: str, codec: str) -> None:
    assert read(write(tmp_path / name, codec, [0.0]))[0] == [0.0]


def test_an_animated_image_has_its_delays(tmp_path: Path) -> None:
    video = write(tmp_path / "x.gif", "gif", [0.0, 0.1, 0.3, 0.6], "rgb8")
    assert read(video)[0] == pytest.approx([0.0, 0.1, 0.3, 0.6], abs=0.011)


def test_a_transport_stream_may_change_its_size(tmp_path: Path) -> None:
    parts = [
        write(tmp_path / f"{side}.ts", "libx264", [start_s + t for t in constant_times(1)], size=(side, side))
        for start_s, side in ((0, 64), (1, 128))
    ]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    with VideoReader(joined, LIMITS) as video:
        assert [frame.pixels.shape[0] for frame in video.frames()] == [64] * 30 + [128] * 30


def test_frames_a_second_are_exact_with_b_frames_and_a_late_start(tmp_path: Path) -> None:
    video = write(tmp_path / "x.mkv", "libx264", [5 + t for t in constant_times(2)], options={"bf": "3"})
    times, _ = read(video, Sampling(fps=5))
    assert times == pytest.approx([5 + number / 5 for number in range(10)], abs=RESOLUTION_S)
    times, _ = read(video, Sampling(every=7))
    assert times == pytest.approx([5 + 7 * number / 30 for number in range(9)], abs=RESOLUTION_S)


def test_a_still_at_the_end_may_be_shown_for_long(tmp_path: Path) -> None:
    path = tmp_path / "x.mov"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=30)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuvj420p"
        packets = []
        for number in range(30):
            frame = VideoFrame.from_ndarray(np.full((96, 128, 3), 8 * number, np.uint8), format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, 30)
            packets += stream.encode(frame)
        packets += stream.encode(None)
        packets[-1].duration = round(9 / (packets[-1].time_base or 1))
        container.mux(packets)
    times, _ = read(path)
    assert times == pytest.approx(constant_times(1))


def test_frames_that_are_left_out_are_told_of_too(tmp_path: Path) -> None:
    path = write(tmp_path / "x.mp4", "libx264", constant_times(1))
    decoded: list[None] = []
    with VideoReader(path, LIMITS) as video:
        taken = list(video.frames(Sampling(every=10), lambda: decoded.append(None)))
    assert (len(taken), len(decoded)) == (3, 30)


def test_an_avi_whose_end_is_missing_is_named(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole.avi", "mpeg4", constant_times(4)).read_bytes()
    cut = tmp_path / "cut.avi"
    cut.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FileError, match=r"cut\.avi: the video ends after .* claims 4\.0 s"):
        read(cut)
