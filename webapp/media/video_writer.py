"""Writes an annotated copy of a video: every frame drawn on, times and sound as they were."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from webapp.errors import FileError
from webapp.media.annotation import ImageArray, Overlay, annotate
from webapp.media.video import MAX_DECODER_THREADS, VideoLimits, VideoReader, open_container

ENCODERS = ("libx264", "h264", "mpeg4")
"""The first that this build of FFmpeg has; its wheels from PyPI have x264."""

NEVER = -(1 << 62)
"""A time before that of every frame and packet."""

QUALITY = {"libx264": {"crf": "20", "preset": "veryfast"}}

COPIED_AUDIO = frozenset({"aac", "mp3", "ac3", "eac3", "opus", "alac"})
"""What players expect in an MP4; other sound is left out."""


def write_annotated(
    source: Path,
    target: Path,
    limits: VideoLimits,
    overlays: Mapping[int, Sequence[Overlay]],
    on_frame: Callable[[], None] = lambda: None,
    threads: int = 0,
) -> None:
    """Write a video again as MP4, with what was found drawn on it.

    A frame that was not analyzed shows the faces of the last one that was.

    Args:
        source: the video.
        target: the MP4 to write; it appears when it is complete.
        limits: how large the source may be.
        overlays: the faces of each analyzed frame, by its index.
        on_frame: called after each frame.
        threads: on how many cores to encode; 0 for all.

    Raises:
        FileError: the source cannot be read, or the target cannot be written; both are named.
    """
    unfinished = target.with_name(f"{target.name}.part")
    try:
        with av.open(str(unfinished), "w", format="mp4") as output:
            _encode(source, output, limits, overlays, on_frame, threads)
        unfinished.replace(target)
    except (av.FFmpegError, OSError) as error:
        text = f"{source}: the annotated video {target} could not be written: {error}."
        raise FileError(text, "no_copy") from error
    finally:
        unfinished.unlink(missing_ok=True)


def encoder_name() -> str:
    """The encoder that is used."""
    return next(name for name in ENCODERS if name in av.codecs_available)


def _encode(
    source: Path,
    output: OutputContainer,
    limits: VideoLimits,
    overlays: Mapping[int, Sequence[Overlay]],
    on_frame: Callable[[], None],
    threads: int,
) -> None:
    with (
        open_container(source) as sound,
        VideoReader(source, limits, threads or MAX_DECODER_THREADS) as video,
    ):
        encoder: VideoStream | None = None
        pts = NEVER
        packets: Iterator[Packet[AudioStream]] = iter(())
        for t, image in _drawn(video, overlays):
            if encoder is None:
                encoder = _video_encoder(output, video, image, threads)
                packets = _copied_sound(sound, output)
            frame = VideoFrame.from_ndarray(image, format="bgr24")
            pts = max(pts + 1, round(t / video.time_base))  # encoders refuse two frames of one time
            frame.pts, frame.time_base = pts, video.time_base
            output.mux(encoder.encode(frame))
            packets = _mux_until(output, packets, t)
            on_frame()
        if encoder is not None:
            output.mux(encoder.encode(None))
        _mux_until(output, packets, float("inf"))


def _drawn(
    video: VideoReader, overlays: Mapping[int, Sequence[Overlay]]
) -> Iterator[tuple[float, ImageArray]]:
    """The time and the drawn pixels of every frame; both sides are made even, as encoders want."""
    analyzed = sorted(overlays)
    for frame in video.frames():
        last = bisect.bisect_right(analyzed, frame.index) - 1
        even = frame.pixels[: frame.pixels.shape[0] & ~1, : frame.pixels.shape[1] & ~1]
        if not even.size:
            raise OSError("it is one pixel wide or high")
        yield frame.t, annotate(even, overlays[analyzed[last]] if last >= 0 else ())


def _video_encoder(
    output: OutputContainer, video: VideoReader, image: ImageArray, threads: int
) -> VideoStream:
    name = encoder_name()
    stream = output.add_stream(name, rate=video.rate, options=QUALITY.get(name, {}))
    assert isinstance(stream, VideoStream)
    stream.height, stream.width = image.shape[:2]
    stream.pix_fmt = "yuv420p"
    stream.codec_context.time_base = video.time_base
    stream.codec_context.thread_count = threads
    return stream


def _copied_sound(sound: InputContainer, output: OutputContainer) -> Iterator[Packet[AudioStream]]:
    """The packets of the sound, for a new stream of the output; those whose times go back are left out."""
    found = next((stream for stream in sound.streams.audio if _can_copy(stream)), None)
    if found is None:
        return iter(())
    copied = output.add_stream_from_template(found)

    def packets() -> Iterator[Packet[AudioStream]]:
        last = NEVER
        for packet in sound.demux(found):
            if packet.dts is not None and packet.dts > last:
                last, packet.stream = packet.dts, copied
                yield packet

    return packets()


def _can_copy(stream: AudioStream) -> bool:
    return stream.codec_context is not None and stream.codec_context.codec.canonical_name in COPIED_AUDIO


def _mux_until(
    output: OutputContainer, packets: Iterator[Packet[AudioStream]], t: float
) -> Iterator[Packet[AudioStream]]:
    """Write the sound up to a time; what remains."""
    for packet in packets:
        at_s = float((packet.pts or packet.dts or 0) * (packet.time_base or 0))
        output.mux(packet)
        if at_s >= t:
            break
    return packets
