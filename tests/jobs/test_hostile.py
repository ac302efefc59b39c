"""Hostile files over a real server: a clear error that names the file, nothing left, others undisturbed."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.helpers import hostile_files as hostile
from tests.helpers.job_client import JobClient, kept_files
from tests.helpers.made_videos import constant_times, write_video
from tests.helpers.room_client import ParticipantClient
from tests.helpers.serving import Server
from tests.helpers.waiting import wait_until

SILENT_PNG = hostile.png(4, 4)
"""A good one."""


@pytest.fixture(scope="module")
def temporary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server and its processes put temporary files."""
    return tmp_path_factory.mktemp("temporary")


@pytest.fixture(scope="module")
def server(temporary: Path) -> Iterator[Server]:
    settings = {"MIEN_WORKERS": "1", "MIEN_MAX_VIDEO_MINUTES": "1", "MIEN_MAX_UPLOAD_MB": "50"}
    with Server(**settings, TMPDIR=str(temporary)) as running:
        yield running


@pytest.fixture
def client(server: Server) -> JobClient:
    return JobClient(server)


@pytest.fixture(autouse=True)
def undisturbed(server: Server, client: JobClient, temporary: Path, astronaut_jpeg: bytes) -> Iterator[None]:
    """A live user goes on as before, the workers are those of before, and no file is left."""
    workers = server.worker_pids()
    with ParticipantClient(server) as live:
        assert live.send(astronaut_jpeg)["faces"]
        yield
        assert live.send(astronaut_jpeg)["faces"]
    assert server.worker_pids() == workers
    for job in client.all():
        client.delete(job["id"])
    wait_until(lambda: not kept_files(server))
    assert not [path for path in temporary.rglob("*") if path.is_file()]


def half_of_a_video(folder: Path) -> bytes:
    video = write_video(folder / "whole.mkv", constant_times(20, rate=5), ()).read_bytes()
    return video[: len(video) // 2]


def bomb(folder: Path) -> bytes:
    return hostile.zip_of({"face.jpg": bytes(200_000_000)})


REFUSED: dict[str, tuple[str, Callable[[Path], bytes], str]] = {
    "empty": ("clip.mp4", lambda folder: b"", "the file is empty"),
    "a ZIP called .mp4": (
        "clip.mp4",
        lambda folder: hostile.zip_of({"a.png": SILENT_PNG}),
        "by its content this is a ZIP archive",
    ),
    "a text called .zip": ("faces.zip", lambda folder: b"no archive", "this is no ZIP archive"),
}
"""What is answered at once: a name, the content and a part of the error."""

FAILING: dict[str, tuple[str, Callable[[Path], bytes], str]] = {
    "a text called .jpg": ("face.jpg", lambda folder: b"no image", "not a readable image"),
    "a text called .mp4": ("clip.mp4", lambda folder: b"no video" * 99, "cannot be read as a video"),
    "a truncated image": ("face.png", lambda folder: SILENT_PNG[:-20], "truncated"),
    "an image of 10^10 pixels": ("face.png", lambda folder: hostile.png(100_000, 100_000), "50,000,000"),
    "an image with two sizes": (
        "face.jpg",
        lambda folder: hostile.jpeg_with_two_sizes(64, 20_000),
        "damaged",
    ),
    "an image whose text unpacks to a lot": (
        "face.png",
        lambda folder: hostile.png(
            4, 4, hostile.png_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(50_000_000)))
        ),
        "too much compressed text",
    ),
    "an image with a chunk of 31 MB": (
        "face.png",
        lambda folder: hostile.png(4, 4, hostile.png_chunk(b"tEXt", b"a\0" + bytes(31_000_000))),
        "at most 30,000,000",
    ),
    "a ZIP that leads out": (
        "faces.zip",
        lambda folder: hostile.zip_of({"../face.png": SILENT_PNG}),
        "would lie outside",
    ),
    "a ZIP that leads to the root": (
        "faces.zip",
        lambda folder: hostile.zip_of({"/etc/face.png": SILENT_PNG}),
        "would lie outside",
    ),
    "a ZIP that leads out on Windows": (
        "faces.zip",
        lambda folder: hostile.zip_of({"..\\face.png": SILENT_PNG}),
        "would lie outside",
    ),
    "a ZIP with a link": ("faces.zip", lambda folder: hostile.zip_with_link("/etc/passwd"), "is a link"),
    "a ZIP without its end": (
        "faces.zip",
        lambda folder: hostile.zip_of({"a.png": SILENT_PNG})[:-30],
        "ZIP archive is",
    ),
    "a ZIP within a ZIP": (
        "faces.zip",
        lambda folder: hostile.zip_of({"inner.zip": hostile.zip_of({"a.png": SILENT_PNG})}),
        "not a readable image",
    ),
    "a ZIP that unpacks to a lot": ("faces.zip", bomb, "none of its images"),
    "a ZIP of countless files": (
        "faces.zip",
        lambda folder: hostile.zip_of({f"{number}.png": b"" for number in range(5001)}),
        "5,001 images",
    ),
    "an empty ZIP": ("faces.zip", lambda folder: hostile.zip_of({}), "no images"),
    "a video of 10^9 frames": (
        "clip.mp4",
        lambda folder: hostile.video_of_frames(folder, 10**9),
        "clip.mp4: ",
    ),
    "a video of 100,000 x 100,000 pixels": (
        "clip.avi",
        lambda folder: hostile.video_of_size(folder, 100_000, 100_000),
        "clip.avi: ",
    ),
    "a video of too many pixels": (
        "clip.avi",
        lambda folder: hostile.video_of_size(folder, 10_000, 10_000),
        "10,000 x 10,000 pixels",
    ),
}
"""What fails when its turn comes."""

SMALL = (320, 180)

CUT_OFF: dict[str, tuple[Callable[[Path], bytes], str]] = {
    "a truncated video": (half_of_a_video, "its end is missing"),
    "an endless video": (
        lambda folder: write_video(folder / "long.mp4", [*map(float, range(63))], size=SMALL).read_bytes(),
        "longer than 1 minutes",
    ),
}
"""What fails after some frames, whose results are kept."""

CODES = {
    "empty": "empty",
    "a ZIP called .mp4": "misnamed_zip",
    "a text called .zip": "bad_zip",
    "a text called .jpg": "bad_frame",
    "a text called .mp4": "bad_video",
    "a truncated image": "bad_frame",
    "an image of 10^10 pixels": "too_large",
    "an image with two sizes": "bad_frame",
    "an image whose text unpacks to a lot": "bad_frame",
    "an image with a chunk of 31 MB": "too_large",
    "a ZIP that leads out": "refused_zip",
    "a ZIP that leads to the root": "refused_zip",
    "a ZIP that leads out on Windows": "refused_zip",
    "a ZIP with a link": "refused_zip",
    "a ZIP without its end": "bad_zip",
    "a ZIP within a ZIP": "no_image_analyzed",
    "a ZIP that unpacks to a lot": "no_image_analyzed",
    "a ZIP of countless files": "long_zip",
    "an empty ZIP": "zip_without_images",
    "a video of 10^9 frames": "bad_video",
    "a video of 100,000 x 100,000 pixels": "bad_video",
    "a video of too many pixels": "large_video",
    "a truncated video": "truncated_video",
    "an endless video": "long_video",
}
"""What programs and pages are told, by the same names."""


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_refused_at_once_leaves_nothing(
    server: Server, client: JobClient, tmp_path: Path, kind: str
) -> None:
    name, content, said = REFUSED[kind]
    answer = client.send(name, content(tmp_path))
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(f"{name}: ") and said in answer.json()["detail"]
    assert answer.json()["reason"] == CODES[kind]
    assert client.all() == []
    wait_until(lambda: not kept_files(server))  # deleted right after the answer


@pytest.mark.parametrize("kind", FAILING)
def test_what_fails_names_the_file_and_leaves_only_its_record(
    server: Server, client: JobClient, tmp_path: Path, kind: str
) -> None:
    name, content, said = FAILING[kind]
    job = client.finished(client.make(name, content(tmp_path)))
    assert job["state"] == "failed", job
    assert job["error"].startswith(f"{name}: ") and said in job["error"]
    assert job["error_code"] == CODES[kind]
    assert server.settings["MIEN_DATA_DIR"] not in str(job)
    assert kept_files(server) == {"job.json"} and job["results"] == []
    assert client.get(f"/{job['id']}/results.csv").status_code == 409
    assert client.get(f"/{job['id']}/input").status_code == 409


@pytest.mark.parametrize("kind", CUT_OFF)
def test_what_fails_half_way_keeps_what_was_found(
    server: Server, client: JobClient, tmp_path: Path, kind: str
) -> None:
    content, said = CUT_OFF[kind]
    job = client.finished(client.make("clip.mp4", content(tmp_path)))
    assert job["state"] == "failed" and said in job["error"] and job["error"].startswith("clip.mp4: ")
    assert job["error_code"] == CODES[kind] and all(job["error_values"].values())
    assert {"results.csv", "results.json", "report.html"} <= set(job["results"])
    assert kept_files(server) == {"job.json", *job["results"]}
    assert len(client.rows(job["id"])) > 1


def test_some_bad_images_of_a_zip_are_named_and_the_others_analyzed(
    server: Server, client: JobClient, astronaut_jpeg: bytes
) -> None:
    content = hostile.zip_of({"bad.jpg": b"no image", "good.jpg": astronaut_jpeg, "__MACOSX/good.jpg": b"x"})
    job = client.finished(client.make("faces.zip", content))
    assert job["state"] == "done"
    assert [(one["input"], one["error_code"]) for one in job["failures"]] == [("bad.jpg", "bad_frame")]
    assert [row["input"] for row in client.rows(job["id"])] == ["good.jpg"]


def test_a_file_over_the_limit_is_refused_and_leaves_nothing(server: Server, client: JobClient) -> None:
    answer = client.send("clip.mp4", bytes(51_000_000))
    assert answer.status_code == 413 and "50,000,000" in answer.json()["detail"]
    wait_until(lambda: not kept_files(server))
