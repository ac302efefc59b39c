"""Jobs on a real server: what comes of an image, a ZIP and a video, and what restarts and kills leave."""

from __future__ import annotations

import io
import os
import signal
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import av
import pytest

from tests.helpers.hostile_files import zip_of
from tests.helpers.job_client import JobClient, kept_files, kept_paths
from tests.helpers.made_videos import Visit, constant_times, container_times, write_video
from tests.helpers.redis import running_redis
from tests.helpers.serving import Server
from tests.helpers.waiting import wait_until
from webapp.export.codebook import FILE_COLUMNS
from webapp.jobs.store import JobStore

ONE_WORKER = {"MIEN_WORKERS": "1"}

LONG_S = 300
"""Of a video whose analysis does not end before a test is through with it."""

WAIT_S = 120.0


def data_folder(server: Server) -> Path:
    """Where the server keeps its jobs."""
    return Path(server.settings["MIEN_DATA_DIR"]) / "jobs"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(**ONE_WORKER) as running:
        yield running


@pytest.fixture
def client(server: Server) -> JobClient:
    return JobClient(server)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds with sound, with a face from 1 s to 2 s."""
    path = tmp_path_factory.mktemp("videos") / "visit.mp4"
    return write_video(path, constant_times(3, rate=10), (Visit("astronaut", 1, 2, left=True),), sound=True)


@pytest.fixture(scope="module")
def long_video(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("videos") / "long.mp4"
    return write_video(path, constant_times(LONG_S, rate=10), ()).read_bytes()


def is_replaced(server: Server, pid: int) -> bool:
    """Whether another process runs jobs now."""
    return server.job_pids() not in ([], [pid])


def test_an_image_gives_tables_a_report_and_an_annotated_copy(
    client: JobClient, astronaut_jpeg: bytes
) -> None:
    job = client.finished(client.make("../portraits/Eileen.jpg", astronaut_jpeg))
    assert (job["state"], job["kind"], job["name"], job["progress"]) == ("done", "image", "Eileen.jpg", 1.0)
    assert {"results.csv", "results.json", "report.html", "annotated.jpg"} <= set(job["results"])
    (pid,) = client.server.job_pids()
    limits = Path(f"/proc/{pid}/limits").read_text()
    assert "unlimited" not in next(line for line in limits.splitlines() if "address space" in line)[:40]
    (row,) = client.rows(job["id"])
    assert (row["input"], row["frame"], row["face_id"]) == ("Eileen.jpg", "0", "1")
    assert list(row) == [column.name for column in FILE_COLUMNS]
    (frame,) = client.get(f"/{job['id']}/results.json").json()
    assert frame["faces"][0]["expression"] == "happy" and frame["faces"][0]["landmarks"]["nose"]
    annotated = client.get(f"/{job['id']}/annotated.jpg")
    assert annotated.headers["Content-Type"] == "image/jpeg" and annotated.content != astronaut_jpeg
    assert client.get(f"/{job['id']}/input").content == astronaut_jpeg
    assert client.get(f"/{job['id']}/annotated.mp4").status_code == 409


def test_a_video_gives_every_frame_with_the_time_of_its_container(client: JobClient, video: Path) -> None:
    job = client.finished(client.make("visit.mp4", video.read_bytes()))
    assert (job["state"], job["kind"]) == ("done", "video") and job["expires_s"] > 0
    rows = client.rows(job["id"])
    times = {int(row["frame"]): float(row["t"]) for row in rows}
    assert list(times) == list(range(30))
    assert list(times.values()) == pytest.approx(container_times(video), abs=1e-3)
    seen = [float(row["t"]) for row in rows if row["face_id"]]
    assert (min(seen), max(seen)) == pytest.approx((1.0, 1.9), abs=0.2)
    report = client.get(f"/{job['id']}/report.html").text
    assert "time (min:s)" in report and "probability (%)" in report and "<script" not in report


def test_the_annotated_video_keeps_its_frames_and_its_sound(
    client: JobClient, video: Path, tmp_path: Path
) -> None:
    job = client.finished(client.make("visit.mp4", video.read_bytes(), every="3"))
    (tmp_path / "annotated.mp4").write_bytes(client.get(f"/{job['id']}/annotated.mp4").content)
    with av.open(str(tmp_path / "annotated.mp4")) as annotated:
        assert len(annotated.streams.audio) == 1
        assert sum(1 for _ in annotated.decode(video=0)) == 30
    assert {int(row["frame"]) for row in client.rows(job["id"])} == set(range(0, 30, 3))


def test_a_zip_gives_one_table_and_all_annotated_copies(client: JobClient, astronaut_jpeg: bytes) -> None:
    content = zip_of({"a/one.jpg": astronaut_jpeg, "two.jpg": astronaut_jpeg, "a/.hidden.jpg": b"x"})
    job = client.finished(client.make("faces.zip", content))
    assert (job["state"], job["failures"]) == ("done", [])
    assert [row["input"] for row in client.rows(job["id"])] == ["a/one.jpg", "two.jpg"]
    with zipfile.ZipFile(io.BytesIO(client.get(f"/{job['id']}/annotated.zip").content)) as annotated:
        assert annotated.namelist() == ["a/one.jpg.annotated.jpg", "two.jpg.annotated.jpg"]


def test_a_player_can_seek_in_the_input(client: JobClient, video: Path) -> None:
    job_id = client.make("visit.mp4", video.read_bytes())
    part = client.get(f"/{job_id}/input", Range="bytes=100-199")
    assert part.status_code == 206 and part.headers["Content-Type"] == "video/mp4"
    assert part.content == video.read_bytes()[100:200]
    beyond = client.get(f"/{job_id}/input", Range="bytes=100000000-")
    assert (beyond.status_code, beyond.json()["problem"]["code"]) == (416, "no_such_range")
    assert beyond.headers["Content-Range"] == f"bytes */{video.stat().st_size}"
    client.delete(job_id)


@pytest.mark.parametrize(
    "form", [{"every": "0"}, {"every": "x"}, {"fps": "nan"}, {"fps": "-1"}, {"every": "2", "fps": "3"}]
)
def test_fields_that_make_no_sense_are_refused(
    server: Server, client: JobClient, form: dict[str, str]
) -> None:
    before = kept_paths(server)
    answer = client.send("visit.mp4", b"\0" * 100, **form)
    assert (answer.status_code, answer.json()["problem"]["code"]) == (400, "bad_request")
    assert client.all() == []
    wait_until(lambda: kept_paths(server) <= before)


def test_a_running_job_is_cancelled_at_once_and_an_image_never_waits_for_a_video(
    client: JobClient, server: Server, long_video: bytes, astronaut_jpeg: bytes
) -> None:
    before = kept_paths(server)
    video_id = client.make("long.mp4", long_video)
    client.wait_until_running(video_id)
    image_id = client.make("face.jpg", astronaut_jpeg)
    assert client.finished(image_id)["state"] == "done"
    assert client.job(video_id)["state"] == "running"
    pids = server.job_pids()
    assert client.delete(image_id).json()["state"] == "cancelled"
    assert client.delete(video_id).json()["state"] == "cancelled"
    assert client.get(f"/{video_id}").status_code == 404
    wait_until(lambda: kept_paths(server) <= before, WAIT_S)
    assert server.job_pids() == pids, "the process went on without the job"


def test_owners_are_taken_in_turn(long_video: bytes, video: Path) -> None:
    with Server(MIEN_PROXIES="1", **ONE_WORKER) as server:
        first, second = (
            JobClient(server, Sec_Fetch_Site="same-origin", X_Forwarded_For=f"198.51.100.{number}")
            for number in (1, 2)
        )
        running = first.make("long.mp4", long_video)
        first.wait_until_running(running)
        many = [first.make("visit.mp4", video.read_bytes()) for _ in range(3)]
        one = second.make("visit.mp4", video.read_bytes())
        first.delete(running)
        assert {second.finished(one)["state"], *(first.finished(job)["state"] for job in many)} == {"done"}
        ended = sorted(JobStore(data_folder(server)).all(), key=lambda record: record.finished_s or 0)
        assert [record.id for record in ended] == [one, *many]


def test_a_job_survives_a_restart_of_the_server(long_video: bytes, video: Path) -> None:
    with Server(**ONE_WORKER) as server:
        client = JobClient(server)
        running, waiting = client.make("long.mp4", long_video), client.make("visit.mp4", video.read_bytes())
        client.wait_until_running(running)
        server.stop()
        server.start()
        assert client.job(waiting)["state"] == "queued"
        client.wait_until_running(running)
        client.delete(running)
        assert client.finished(waiting)["state"] == "done"


def test_a_job_whose_process_is_killed_runs_once_more_and_then_fails(long_video: bytes) -> None:
    with Server(**ONE_WORKER) as server:
        client = JobClient(server)
        job_id = client.make("long.mp4", long_video)
        for _ in range(2):
            client.wait_until_running(job_id)
            (pid,) = server.job_pids()
            os.kill(pid, signal.SIGKILL)
            wait_until(partial(is_replaced, server, pid), WAIT_S)
            wait_until(lambda: client.job(job_id)["progress"] == 0 or client.job(job_id)["error"], WAIT_S)
        job = client.finished(job_id)
        assert job["state"] == "failed"
        assert "long.mp4: the process that analyzed this file ended 2 times" in job["error"]
        assert kept_files(server) == {"job.json"}


def test_redis_keeps_the_queue_and_jobs_wait_while_it_is_away(astronaut_jpeg: bytes) -> None:
    with running_redis() as redis, Server(MIEN_REDIS_URL=redis.url, **ONE_WORKER) as server:
        client = JobClient(server)
        assert client.finished(client.make("one.jpg", astronaut_jpeg))["state"] == "done"
        redis.stop()
        waiting = client.make("two.jpg", astronaut_jpeg)
        assert client.job(waiting)["state"] == "queued"
        redis.start()
        assert client.finished(waiting)["state"] == "done"
        assert not list(Path(server.settings["MIEN_DATA_DIR"]).glob("jobs/*.sqlite"))
