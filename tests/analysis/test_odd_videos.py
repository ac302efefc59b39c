"""Intact videos that no camera writes: joined, anamorphic, one pixel wide, with equal times."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame

from tests.helpers.made_videos import Visit, constant_times, container_times, write_video
from webapp.analysis import FileEngine
from webapp.errors import FileError


@pytest.fixture(scope="module")
def engine() -> Iterator[FileEngine]:
    with FileEngine(threads=2) as engine:
        yield engine


def test_videos_that_were_joined_go_on_where_the_first_ends(engine: FileEngine, tmp_path: Path) -> None:
    """The clock of the second begins anew."""
    one = write_video(
        tmp_path / "one.ts", constant_times(2, 20), [Visit("astronaut", 1, 8, left=True)], sound=True
    )
    joined = tmp_path / "joined.ts"
    joined.write_bytes(2 * one.read_bytes())
    frames = list(engine.analyze_video(joined))
    steps = np.diff([frame.t for frame in frames])
    assert len(frames) == 80
    assert steps == pytest.approx(np.full(79, 0.05), abs=0.011)
    faces = {frame.index: len(frame.faces) for frame in frames}
    assert all(faces[index] == (index % 40 >= 20) for index in range(80) if abs(index % 20 - 10) < 8)
    copy = tmp_path / "copy.mp4"
    engine.annotate_video(joined, {}, copy)
    assert container_times(copy) == pytest.approx([frame.t for frame in frames], abs=0.06)
    assert len(list(engine.analyze_video(joined, fps=5))) == 20


def test_frames_with_the_same_time_are_all_kept(engine: FileEngine, tmp_path: Path) -> None:
    video = write_video(tmp_path / "same.mkv", [0.0, 0.04, 0.08, 0.08, 0.12, 0.16])
    frames = list(engine.analyze_video(video))
    assert [frame.t for frame in frames] == pytest.approx([0.0, 0.04, 0.08, 0.08, 0.12, 0.16], abs=0.002)
    engine.annotate_video(video, {}, tmp_path / "copy.mp4")
    assert len(container_times(tmp_path / "copy.mp4")) == 6


@pytest.mark.parametrize(
    ("aspect", "size"),
    [
        (Fraction(4, 3), (853, 480)),
        (Fraction(3, 4), (640, 640)),
        (Fraction(1, 1), (640, 480)),
        (Fraction(1000, 1), (640, 480)),
    ],
)
def test_faces_are_as_wide_as_the_video_is_shown(
    engine: FileEngine, tmp_path: Path, aspect: Fraction, size: tuple[int, int]
) -> None:
    """DV and HDV have non-square pixels."""
    times = constant_times(0.3, 10)
    shown = Visit("astronaut", 0, 9, left=True)
    video = write_video(tmp_path / "wide.mkv", times, [shown], pixel_aspect=aspect)
    square = list(engine.analyze_video(write_video(tmp_path / "square.mkv", times, [shown])))[-1]
    last = list(engine.analyze_video(video))[-1]
    assert (last.width, last.height) == size
    box, whole = last.faces[0].box, square.faces[0].box
    assert box.center[0] / size[0] == pytest.approx(whole.center[0] / 640, abs=0.02)
    assert box.center[1] / size[1] == pytest.approx(whole.center[1] / 480, abs=0.02)
    stretched, shown_as = (
        box.width / box.height / (whole.width / whole.height),
        size[0] / size[1] / (640 / 480),
    )
    assert (stretched > 1.05, stretched < 0.95) == (shown_as > 1.05, shown_as < 0.95)


@pytest.mark.parametrize("size", [(1, 48), (48, 1)])
def test_a_video_that_is_one_pixel_wide_or_high_has_no_copy(
    engine: FileEngine, tmp_path: Path, size: tuple[int, int]
) -> None:
    video = tmp_path / "thin.mov"
    with av.open(str(video), "w") as container:
        stream = container.add_stream("png", rate=10)
        stream.width, stream.height = size
        stream.pix_fmt = "rgb24"
        for _ in range(3):
            frame = VideoFrame.from_ndarray(np.zeros((size[1], size[0], 3), np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert [frame.faces for frame in engine.analyze_video(video)] == [()] * 3
    with pytest.raises(FileError, match=r"copy\.mp4 could not be written: .*one pixel"):
        engine.annotate_video(video, {}, tmp_path / "copy.mp4")
