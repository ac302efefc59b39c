"""`mien analyze`: results, annotated copies, failures, stopping and going on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import cv2
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from tests.cli.commands import all_forms, inputs_of, rows, run
from tests.helpers.made_videos import Visit, constant_times, write_video
from tests.vision.images import astronaut, grace_hopper
from webapp.cli.annotated import annotated_paths
from webapp.cli.inputs import find_inputs
from webapp.cli.main import main
from webapp.config import PROJECT_ROOT
from webapp.errors import FileError
from webapp.export.codebook import FILE_COLUMNS

START_TIMEOUT_S = 120


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two photographs, a video with sound, and a text that is called .jpg."""
    folder = tmp_path_factory.mktemp("media")
    (folder / "photos").mkdir()
    cv2.imwrite(str(folder / "photos" / "a.jpg"), astronaut())
    cv2.imwrite(str(folder / "photos" / "b.png"), grace_hopper())
    (folder / "photos" / "c.jpg").write_text("hello")
    (folder / "photos" / ".hidden.jpg").write_text("hello")
    visits = (Visit("astronaut", 0.5, 9, left=True),)
    write_video(folder / "video.mp4", constant_times(2, 10), visits, sound=True)
    return folder


def test_a_folder_becomes_tables_json_and_copies(media: Path, tmp_path: Path) -> None:
    done = run(media, *all_forms(tmp_path), "--annotate", tmp_path / "out")
    assert done.exit_code == 1, done.output
    assert f"{media / 'photos' / 'c.jpg'}: The data is not a readable image" in done.output
    found = rows(tmp_path / "r.csv")
    assert list(found[0]) == [column.name for column in FILE_COLUMNS]
    assert inputs_of(found) == ["a.jpg", "b.png", "video.mp4"]
    video = [row for row in found if row["input"].endswith("video.mp4")]
    assert [row["frame"] for row in video] == [str(number) for number in range(20)]
    assert [row["face_id"] for row in video] == [""] * 5 + ["1"] * 15
    assert [float(row["t"]) for row in video] == pytest.approx(np.arange(20) / 10, abs=0.001)
    assert float(found[0]["happiness"]) > 0.5
    frames = json.loads((tmp_path / "r.json").read_text())
    assert len(frames) == 22
    assert {"nose", "mouth_outer"} <= set(frames[0]["faces"][0]["landmarks"])
    as_parquet = pd.read_parquet(tmp_path / "r.parquet")
    assert len(as_parquet) == len(found) and as_parquet["face_id"].isna().sum() == 5
    assert_annotated(media, tmp_path / "out")


def assert_annotated(media: Path, out: Path) -> None:
    """The copies have boxes; the video has all its frames and its sound."""
    image = cv2.imread(str(out / "photos" / "a.jpg"))
    assert image is not None and np.abs(image.astype(int) - astronaut()).max() > 100
    with av.open(str(out / "video.mp4")) as copy, av.open(str(media / "video.mp4")) as original:
        assert copy.streams.audio[0].duration == pytest.approx(original.streams.audio[0].duration or 0, 0.1)
        times = [frame.time for frame in copy.decode(video=0)]
        assert times == pytest.approx([frame.time for frame in original.decode(video=0)], abs=0.001)
    assert not list(out.rglob("*.part"))


def test_a_video_is_sampled(media: Path, tmp_path: Path) -> None:
    run(media / "video.mp4", "--every", 5, "--csv", tmp_path / "r.csv")
    assert [row["frame"] for row in rows(tmp_path / "r.csv")] == ["0", "5", "10", "15"]
    assert run(media / "video.mp4", "--fps", 2, "--csv", tmp_path / "r.csv").exit_code == 0
    assert [row["frame"] for row in rows(tmp_path / "r.csv")] == ["0", "5", "10", "15"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Missing argument 'PATH...'"),
        (("x.mp4", "--every", "2", "--fps", "5"), "either --every or --fps"),
        (("x.mp4", "--every", "0"), "--every"),
        (("x.mp4", "--fps", "nan"), "--fps"),
        (("x.mp4", "--fps", "inf"), "--fps"),
        (("x.mp4", "--csv", "tests/../r.txt", "--json", "r.txt"), "a file of its own"),
        (("x.mp4", "--resume"), "--resume needs"),
        (("tests/cli",), "no images or videos in tests/cli"),
        (("x.mp4", "--csv", "/nowhere/r.csv"), "/nowhere"),
        (("x.mp4", "--every", "9" * 400), "--every"),
        (("y.mp4", "z.mp4", "--csv", "x.mp4"), "would replace x.mp4"),
        (("a.jpg", "tests/../x.txt", "--json", "x.txt"), "would replace x.txt"),
    ],
)
def test_a_command_that_cannot_be_carried_out_says_why(arguments: tuple[str, ...], said: str) -> None:
    done = run(*arguments)
    assert done.exit_code == 2
    assert said in done.output


def test_without_pyarrow_parquet_says_what_to_install(
    media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    done = run(media / "photos" / "a.jpg", "--parquet", tmp_path / "r.parquet")
    assert done.exit_code == 2 and "requirements-lab.txt" in done.output
    assert not list(tmp_path.glob("*.parquet*.part")) and not (tmp_path / "r.parquet").exists()


def test_a_file_that_is_not_there_fails_by_its_name(media: Path) -> None:
    done = run("/nope.mp4", media / "photos" / "a.jpg")
    assert done.exit_code == 1
    assert "mien: /nope.mp4: " in done.output and "2 inputs, 1 frames, 1 failed" in done.output


def test_a_pattern_after_a_forgotten_name_destroys_no_recording(media: Path) -> None:
    """`--csv *.jpg` takes the first photograph for the table."""
    before = (media / "photos" / "a.jpg").read_bytes()
    done = run("--csv", media / "photos" / "a.jpg", media / "photos" / "b.png")
    assert done.exit_code == 2 and "would replace" in done.output
    assert (media / "photos" / "a.jpg").read_bytes() == before


@pytest.mark.skipif(sys.platform != "linux", reason="needs names that are not UTF-8")
def test_names_that_are_not_utf_8_are_analyzed_and_shown(media: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for source, name in (
        ("photos/a.jpg", b"\xff.jpg"),
        ("video.mp4", b"\xfe.mp4"),
        ("photos/c.jpg", b"\xfd.jpg"),
    ):
        (folder / os.fsdecode(name)).write_bytes((media / source).read_bytes())
    outputs = all_forms(tmp_path)
    done = run(folder, *outputs, "--annotate", tmp_path / "out", "--every", 10)
    assert done.exit_code == 1 and "3 inputs, 3 frames, 1 failed" in done.output
    assert r"in/\xfd.jpg: The data is not a readable image" in done.output
    assert inputs_of(rows(tmp_path / "r.csv")) == [r"\xfe.mp4", r"\xff.jpg"]
    assert {os.fsencode(path.name) for path in (tmp_path / "out").iterdir()} == {b"\xfe.mp4", b"\xff.jpg"}
    again = run(folder, *outputs, "--resume", "--every", 10)
    assert "3 inputs, of which 2 were finished before" in again.output
    assert len(rows(tmp_path / "r.csv")) == len(json.loads((tmp_path / "r.json").read_text())) == 3


def start(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "webapp", "analyze", *map(str, arguments)]
    return subprocess.Popen(
        command, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait_for_rows(path: Path, count: int) -> None:
    end_s = time.monotonic() + START_TIMEOUT_S
    while not path.is_file() or path.read_bytes().count(b"\n") < count:
        assert time.monotonic() < end_s, "no rows were written"
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_stopped_loses_nothing_and_goes_on(tmp_path: Path, number: signal.Signals) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    cv2.imwrite(str(folder / "a.jpg"), astronaut())
    write_video(folder / "b.mp4", constant_times(20), (Visit("astronaut", 1, 19, left=True),))
    outputs = ("--csv", tmp_path / "r.csv", "--json", tmp_path / "r.json")
    process = start(folder, *outputs)
    wait_for_rows(tmp_path / "r.csv", 100)
    process.send_signal(number)
    _, errors = process.communicate(timeout=START_TIMEOUT_S)
    before = rows(tmp_path / "r.csv")
    assert inputs_of(before) == ["a.jpg", "b.mp4"] and 90 < len(before) < 600
    if number != signal.SIGKILL:
        assert process.returncode == 130 and "--resume goes on" in errors
        assert len(json.loads((tmp_path / "r.json").read_text())) == len(before)
    done = run(folder, *outputs, "--resume")
    assert done.exit_code == 0 and "2 inputs, of which 1 were finished before" in done.output
    after = rows(tmp_path / "r.csv")
    assert [row["frame"] for row in after] == ["0", *map(str, range(600))]
    assert len(json.loads((tmp_path / "r.json").read_text())) == 601


def test_inputs_are_found_once_and_told_apart_by_their_content(media: Path, tmp_path: Path) -> None:
    renamed = tmp_path / "photo.mp4"
    renamed.write_bytes((media / "photos" / "a.jpg").read_bytes())
    video = tmp_path / "video.jpg"
    video.write_bytes((media / "video.mp4").read_bytes())
    photos = str(media / "photos")
    found = find_inputs([photos, f"{photos}/*.jpg", str(renamed), str(video), "/nope*.jpg"])
    assert [(one.path.name, one.is_video) for one in found] == [
        ("a.jpg", False),
        ("b.png", False),
        ("c.jpg", False),
        ("photo.mp4", False),
        ("video.jpg", True),
        ("nope*.jpg", False),
    ]


def test_two_inputs_never_share_a_copy(tmp_path: Path) -> None:
    inputs = find_inputs([f"{tmp_path}/x.jpg", f"{tmp_path}/x.png", f"{tmp_path}/in/x.jpg"])
    targets = annotated_paths(tmp_path, inputs)
    assert len(set(targets.values())) == 3
    assert not {one.path for one in inputs} & set(targets.values())


def test_a_copy_never_replaces_an_input_that_a_link_or_a_way_up_leads_to(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "a.jpg").touch()
    (tmp_path / "link").symlink_to(photos)
    (photos / "b.jpg").symlink_to(photos / "a.jpg")
    for folder in (photos, tmp_path / "link", photos / ".." / "photos"):
        for named in (photos, tmp_path / "link", photos / ".." / "link"):
            targets = annotated_paths(folder, find_inputs([str(named)]))
            assert sorted(targets.values()) == [
                photos / "a.jpg.annotated.jpg",
                photos / "b.jpg.annotated.jpg",
            ]


def test_copies_stay_below_their_folder(tmp_path: Path) -> None:
    for name in ("in/x", "elsewhere"):
        (tmp_path / name).mkdir(parents=True)
    inputs = find_inputs([f"{tmp_path}/in/../in/x/../y.jpg", f"{tmp_path}/in/x/z.jpg"])
    targets = annotated_paths(tmp_path / "out", inputs)
    assert sorted(targets.values()) == [tmp_path / "out" / "x" / "z.jpg", tmp_path / "out" / "y.jpg"]
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "x").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileError, match="which is outside of"):
        annotated_paths(tmp_path / "out", inputs)


def test_a_copy_without_a_free_name_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    for name in ("a.JPG", "a.JPG.annotated.jpg"):
        cv2.imwrite(str(tmp_path / name), np.zeros((20, 20, 3), np.uint8))
    before = (tmp_path / "a.JPG.annotated.jpg").read_bytes()
    done = run(tmp_path, "--annotate", tmp_path, "--csv", tmp_path / "r.csv")
    assert done.exit_code == 2 and "its copy would replace" in done.output
    assert (tmp_path / "a.JPG.annotated.jpg").read_bytes() == before and not (tmp_path / "r.csv").exists()


@pytest.mark.parametrize("command", [(), ("analyze",), ("serve",), ("doctor",), ("backup",), ("restore",)])
def test_help_explains_every_command(command: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(main, [*command, "--help"])
    assert shown.exit_code == 0 and "Usage:" in shown.output


def test_the_package_runs_as_the_command() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "webapp", "--version"],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.startswith("mien, version ")
