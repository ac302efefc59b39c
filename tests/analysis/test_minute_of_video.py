"""A minute of 640 x 480 with nine people: tracks begin and end when they come and go, and ids never swap."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from shutil import which

import pytest

from tests.helpers.made_videos import constant_times, container_times, variable_times, write_video
from tests.helpers.walking_faces import MINUTE, Walker, painted, seen_by_walker
from webapp.analysis import FileEngine
from webapp.protocol import FileFrame

SECONDS = 60
RATE = 20
MAX_LATE_S = 0.2

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def engine() -> Iterator[FileEngine]:
    with FileEngine(threads=2) as engine:
        yield engine


def minute(path: Path, times: list[float], rotation: int = 0, sound: bool = False) -> Path:
    return write_video(path, times, rotation=rotation, sound=sound, paint=partial(painted, walkers=MINUTE))


def assert_tracks_are_the_walkers(frames: list[FileFrame], walkers: tuple[Walker, ...] = MINUTE) -> None:
    """Each walker has an id of its own from the beginning to the end, and nobody else is found."""
    seen = seen_by_walker(frames, walkers)
    assert set(seen) == set(range(len(walkers)))
    ids = {number: {face_id for _, face_id in found} for number, found in seen.items()}
    assert [len(each) for each in ids.values()] == [1] * len(walkers), ids
    assert len({one for each in ids.values() for one in each}) == len(walkers), ids
    for number, walker in enumerate(walkers):
        assert abs(seen[number][0][0] - walker.start_s) <= MAX_LATE_S, walker
        assert abs(seen[number][-1][0] - walker.end_s) <= MAX_LATE_S, walker


def test_a_constant_rate_with_sound(engine: FileEngine, tmp_path: Path) -> None:
    video = minute(tmp_path / "constant.mp4", constant_times(SECONDS, RATE), sound=True)
    frames = list(engine.analyze_video(video))
    assert_tracks_are_the_walkers(frames)
    assert [frame.t for frame in frames] == pytest.approx(container_times(video), abs=0.001)


def test_a_variable_rate(engine: FileEngine, tmp_path: Path) -> None:
    video = minute(tmp_path / "variable.mkv", variable_times(SECONDS))
    frames = list(engine.analyze_video(video))
    assert_tracks_are_the_walkers(frames)
    assert [frame.t for frame in frames] == pytest.approx(container_times(video), abs=0.001)
    assert [frame.t for frame in frames] == pytest.approx(probed_times(video), abs=0.001)


def test_a_video_on_its_side(engine: FileEngine, tmp_path: Path) -> None:
    """The first half of the minute: how people cross does not depend on the side."""
    video = minute(tmp_path / "rotated.mov", constant_times(SECONDS // 2 + 1, 15), rotation=90)
    walkers = tuple(one for one in MINUTE if one.end_s <= SECONDS // 2)
    assert len(walkers) > 2
    assert_tracks_are_the_walkers(list(engine.analyze_video(video)), walkers)


def probed_times(video: Path) -> list[float]:
    """The times that FFmpeg's own program reads from a file, or those of its packets where it is missing."""
    program = which("ffprobe")
    if program is None:
        return container_times(video)
    command = [program, "-v", "error", "-select_streams", "v:0", "-show_entries", "frame=pts_time"]
    printed = subprocess.run([*command, "-of", "json", str(video)], capture_output=True, check=True).stdout
    return [float(frame["pts_time"]) for frame in json.loads(printed)["frames"]]
