"""Image and video files: when tracks begin and end, times, rotation, and files that are hostile."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.helpers.made_videos import (
    Visit,
    constant_times,
    container_times,
    variable_times,
    write_sound,
    write_video,
)
from tests.vision.images import astronaut
from webapp.analysis import FileEngine
from webapp.config import Settings
from webapp.errors import FileError
from webapp.protocol import FileFrame
from webapp.vision.detect import FaceDetector
from webapp.vision.regions import Detection

SECONDS = 14
VISITS = (
    Visit("astronaut", 1, 8, left=True),
    Visit("hopper", 3, 6, left=False),
    Visit("hopper", 9, 12, left=False),
    Visit("astronaut", 10, 13, left=True),
)
MAX_LATE_S = 0.2


@pytest.fixture(scope="module")
def engine() -> Iterator[FileEngine]:
    with FileEngine(threads=2) as engine:
        yield engine


@pytest.fixture(scope="module")
def constant(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    return write_video(folder / "constant.mp4", constant_times(SECONDS), VISITS)


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("videos") / "short.mp4", constant_times(3), VISITS[:1])


def tracks(frames: list[FileFrame]) -> list[tuple[float, float, bool]]:
    """The first and the last time of each id, and whether it is in the left half: always in one half."""
    seen: dict[int, list[tuple[float, bool]]] = {}
    for frame in frames:
        for face in frame.faces:
            seen.setdefault(face.id, []).append((frame.t, face.box.center[0] < frame.width / 2))
    for places in seen.values():
        assert len({left for _, left in places}) == 1, "an id went over to another face"
    return sorted((places[0][0], places[-1][0], places[0][1]) for places in seen.values())


def assert_tracks_are(frames: list[FileFrame], visits: tuple[Visit, ...]) -> None:
    found = tracks(frames)
    assert len(found) == len(visits)
    for (start_s, end_s, left), visit in zip(found, visits, strict=True):
        assert left == visit.left
        assert abs(start_s - visit.start_s) <= MAX_LATE_S
        assert abs(end_s - visit.end_s) <= MAX_LATE_S


@pytest.mark.slow
def test_tracks_begin_and_end_when_faces_come_and_go(engine: FileEngine, constant: Path) -> None:
    frames = list(engine.analyze_video(constant))
    assert_tracks_are(frames, VISITS)
    assert [frame.t for frame in frames] == pytest.approx(container_times(constant), abs=0.001)
    assert [frame.index for frame in frames] == list(range(SECONDS * 30))


@pytest.mark.slow
def test_times_of_a_variable_rate_are_the_containers(engine: FileEngine, tmp_path: Path) -> None:
    times = variable_times(SECONDS)
    video = write_video(tmp_path / "variable.mp4", times, VISITS)
    frames = list(engine.analyze_video(video))
    assert_tracks_are(frames, VISITS)
    assert [frame.t for frame in frames] == pytest.approx(times, abs=0.001)


@pytest.mark.parametrize("rotation", [90, -90, 180])
def test_a_video_on_its_side_is_turned_as_its_metadata_say(
    engine: FileEngine, tmp_path: Path, rotation: int
) -> None:
    video = write_video(tmp_path / "turned.mp4", constant_times(1.5, 10), VISITS[:1], rotation)
    frames = list(engine.analyze_video(video))
    assert {(frame.width, frame.height) for frame in frames} == {(640, 480)}
    assert [len(frame.faces) for frame in frames] == [0] * 10 + [1] * 5
    assert abs(frames[-1].faces[0].pose.roll) < 10


def test_every_nth_frame_keeps_its_number_and_time(engine: FileEngine, short: Path) -> None:
    frames = list(engine.analyze_video(short, every=20))
    assert [frame.index for frame in frames] == [0, 20, 40, 60, 80]
    assert [frame.t for frame in frames] == pytest.approx([0, 2 / 3, 4 / 3, 2, 8 / 3], abs=0.001)


def test_frames_a_second_are_chosen_by_their_times(engine: FileEngine, tmp_path: Path) -> None:
    times = [0.0, 0.1, 0.2, 0.9, 1.05, 1.1, 1.5, 3.2, 3.3, 4.0]
    video = write_video(tmp_path / "gaps.mp4", times)
    found = [frame.t for frame in engine.analyze_video(video, fps=2)]
    assert found == pytest.approx([0.0, 0.9, 1.05, 1.5, 3.2, 4.0], abs=0.001)


def test_the_same_file_gives_the_same_results_on_any_number_of_threads(
    engine: FileEngine, short: Path
) -> None:
    with FileEngine(threads=1) as alone:
        assert list(alone.analyze_video(short)) == list(engine.analyze_video(short))


def test_where_nothing_moves_hardly_anything_is_searched(
    engine: FileEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few times in two seconds, and from the frame in which somebody comes."""
    times, scans = constant_times(4), []

    def counted(detector: FaceDetector, image: np.ndarray, min_score: float | None = None) -> list[Detection]:
        if image.shape == (480, 640, 3):
            scans.append(1)
        return detect(detector, image, min_score)

    detect = FaceDetector.detect
    monkeypatch.setattr(FaceDetector, "detect", counted)
    still = write_video(tmp_path / "still.mp4", times, [Visit("astronaut", 3.5, 4, left=True)])
    seen = [frame.t for frame in engine.analyze_video(still) if frame.faces]
    assert seen == pytest.approx([t for t in times if t >= 3.5], abs=0.001)
    assert len(scans) < 30
    scans.clear()
    brighter = write_video(
        tmp_path / "brighter.mp4", times, paint=lambda t: np.full((480, 640, 3), 40 + round(50 * t), np.uint8)
    )
    assert not any(frame.faces for frame in engine.analyze_video(brighter))
    assert len(scans) > 60


@pytest.mark.parametrize(
    ("every", "fps"), [(0, None), (1, 0.0), (1, -1.0), (1, np.inf), (1, np.nan), (2, 5.0)]
)
def test_sampling_that_means_nothing_is_refused(
    engine: FileEngine, short: Path, every: int, fps: float | None
) -> None:
    with pytest.raises(ValueError, match="every >= 1 or fps > 0"):
        list(engine.analyze_video(short, every, fps))


def test_a_reader_who_stops_early_leaves_nothing_behind(engine: FileEngine, short: Path) -> None:
    for _ in range(3):
        frames = engine.analyze_video(short)
        assert isinstance(frames, Iterator)
        assert next(frames).index == 0
        frames.close()  # type: ignore[attr-defined]
    assert len(list(engine.analyze_video(short, every=30))) == 3


def test_faces_of_an_image_are_numbered_from_the_left(engine: FileEngine, tmp_path: Path) -> None:
    path = tmp_path / "two.png"
    cv2.imwrite(str(path), np.hstack([astronaut(), astronaut()]))
    frame = engine.analyze_image(path)
    assert (frame.input, frame.index, frame.t, frame.width, frame.height) == (str(path), 0, 0.0, 1024, 512)
    assert [face.id for face in frame.faces] == [1, 2]
    assert frame.faces[0].box.x < frame.faces[1].box.x
    assert {face.expression for face in frame.faces} == {"happy"}
    assert len(frame.faces[0].polylines["nose"]) > 10


def test_images_come_in_their_order_with_errors_in_between(engine: FileEngine, tmp_path: Path) -> None:
    names = [tmp_path / f"{number}.jpg" for number in range(6)]
    for number, path in enumerate(names):
        cv2.imwrite(str(path), np.zeros((20 + number, 30, 3), np.uint8))
    names[2].write_bytes(b"not an image")
    found = list(engine.analyze_images(names))
    assert [getattr(one, "height", None) for one in found] == [20, 21, None, 23, 24, 25]
    assert isinstance(found[2], FileError) and str(names[2]) in str(found[2])


def hostile_files(folder: Path) -> dict[str, Path]:
    """Files that are broken or not what their names say, by what is wrong."""
    whole = write_video(folder / "whole.mp4", constant_times(2)).read_bytes()
    files = {name: folder / f"{name}.mp4" for name in ("empty", "text", "playlist", "no index", "no video")}
    files["empty"].touch()
    files["text"].write_text("hello " * 100)
    files["playlist"].write_text(f"#EXTM3U\n#EXTINF:10,\n{folder / 'whole.mp4'}\n#EXT-X-ENDLIST\n")
    files["no index"].write_bytes(whole[: len(whole) // 2])
    write_sound(files["no video"], seconds=1)
    files["zip"] = folder / "zip.mp4"
    with zipfile.ZipFile(files["zip"], "w") as archive:
        archive.writestr("x.jpg", b"x" * 1000)
    files["missing"] = folder / "missing.mp4"
    files["folder"] = folder
    return files


@pytest.mark.parametrize(
    "kind", ["empty", "text", "playlist", "no index", "no video", "zip", "missing", "folder"]
)
def test_a_file_that_is_no_video_is_named_with_what_is_expected(
    engine: FileEngine, tmp_path: Path, kind: str
) -> None:
    path = hostile_files(tmp_path)[kind]
    with pytest.raises(FileError) as error:
        list(engine.analyze_video(path))
    assert str(error.value).startswith(f"{path}: ")


def test_an_endless_stream_is_not_read(engine: FileEngine) -> None:
    with pytest.raises(FileError, match="no regular file"):
        list(engine.analyze_video("/dev/zero"))


def forged(video: bytes, box: bytes, offset: int, value: bytes) -> bytes:
    """A video with some bytes of one of its boxes changed, counted from the box's type."""
    start = video.index(box) + offset
    return video[:start] + value + video[start + len(value) :]


def test_a_video_that_claims_huge_frames_is_refused_before_one_is_decoded(
    engine: FileEngine, short: Path, tmp_path: Path
) -> None:
    path = tmp_path / "huge.mp4"
    path.write_bytes(forged(short.read_bytes(), b"avc1", 28, struct.pack(">HH", 65_000, 65_000)))
    found = Settings(max_file_megapixels=1)
    big = write_video(tmp_path / "big.mp4", constant_times(0.2), size=(1280, 960))
    with FileEngine(found, threads=1) as strict, pytest.raises(FileError, match=r"1,280 x 960.*MEGAPIXELS"):
        list(strict.analyze_video(big))
    try:
        sizes = {(frame.width, frame.height) for frame in engine.analyze_video(path)}
    except FileError as error:
        assert str(path) in str(error)
    else:
        assert sizes == {(640, 480)}, "what the codec says counts, and not what the container claims"


def test_a_video_that_claims_a_billion_frames_ends_with_those_it_has(
    engine: FileEngine, short: Path, tmp_path: Path
) -> None:
    path = tmp_path / "claims.mp4"
    path.write_bytes(forged(short.read_bytes(), b"stsz", 12, struct.pack(">I", 10**9)))
    with pytest.raises(FileError, match=r"claims\.mp4"):
        list(engine.analyze_video(path))


def test_a_video_over_the_longest_duration_ends_there(tmp_path: Path) -> None:
    video = write_video(tmp_path / "long.mp4", [0.0, 1.0, 59.0, 61.0, 62.0])
    frames: list[float] = []
    strict = FileEngine(Settings(max_video_minutes=1), threads=1)
    with strict, pytest.raises(FileError, match=r"longer than 1 minutes.*MIEN_MAX_VIDEO_MINUTES"):
        for frame in strict.analyze_video(video):
            frames.append(frame.t)  # noqa: PERF402 - what came before the error counts
    assert frames == [0.0, 1.0, 59.0]
    assert strict.frames_to_analyze(video, fps=1) <= 60
    assert strict.frames_to_analyze(video, fps=1000) == strict.frames_to_analyze(video)


def test_frames_before_a_cut_are_kept_and_the_cut_is_named(engine: FileEngine, tmp_path: Path) -> None:
    whole = write_video(tmp_path / "whole.mkv", constant_times(4), VISITS[:1])
    cut = tmp_path / "cut.mkv"
    content = whole.read_bytes()
    cut.write_bytes(content[: len(content) // 2])
    frames = []
    with pytest.raises(FileError, match=r"cut\.mkv: the video (is damaged after|ends after)"):
        for frame in engine.analyze_video(cut):
            frames.append(frame.t)  # noqa: PERF402 - what came before the error counts
    assert 10 < len(frames) < 110


@pytest.mark.parametrize("kind", ["mkv", "mp4", "mov"])
def test_sound_that_lasts_longer_than_the_picture_is_no_cut(
    engine: FileEngine, tmp_path: Path, kind: str
) -> None:
    video = write_video(tmp_path / f"long.{kind}", constant_times(1, 10), sound=True, sound_s=5)
    assert len(list(engine.analyze_video(video))) == 10


def test_a_picture_that_begins_late_is_no_cut(engine: FileEngine, tmp_path: Path) -> None:
    late = [4 + t for t in constant_times(1, 10)]
    assert len(list(engine.analyze_video(write_video(tmp_path / "late.mkv", late, sound=True)))) == 10


def test_a_cut_is_named_in_a_video_with_sound(engine: FileEngine, tmp_path: Path) -> None:
    whole = write_video(tmp_path / "whole.mkv", constant_times(4), VISITS[:1], sound=True)
    cut = tmp_path / "cut.mkv"
    content = whole.read_bytes()
    cut.write_bytes(content[: len(content) // 3])
    with pytest.raises(FileError, match=r"cut\.mkv: the video (is damaged after|ends after)"):
        list(engine.analyze_video(cut, every=30))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"hello", "not a readable image"),
        (b"\0\0\0\x18ftypheic" + bytes(50), "HEIC and AVIF"),
        (b"GIF89a" + bytes(50), "not a readable image"),
    ],
)
def test_a_file_that_is_no_image_is_named(
    engine: FileEngine, tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "image.jpg"
    path.write_bytes(content)
    with pytest.raises(FileError, match=said) as error:
        engine.analyze_image(path)
    assert str(path) in str(error.value)


def test_images_over_the_limits_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "image.png"
    cv2.imwrite(str(path), np.zeros((1100, 1000, 3), np.uint8))
    heavy = tmp_path / "heavy.jpg"
    heavy.write_bytes(bytes(1_000_001))
    with FileEngine(Settings(max_file_mb=1, max_file_megapixels=1), threads=1) as strict:
        with pytest.raises(FileError, match="1,000 x 1,100 pixels; at most 1,000,000"):
            strict.analyze_image(path)
        with pytest.raises(FileError, match=r"1,000,001 bytes.*MIEN_MAX_FILE_MB"):
            strict.analyze_image(heavy)
