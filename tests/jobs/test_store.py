from __future__ import annotations

import itertools
import json
import shutil
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from webapp.config import Settings
from webapp.errors import BadUploadError, JobRemovedError, NoSpaceError, TooManyJobsError, UploadTooLargeError
from webapp.jobs import store as store_module
from webapp.jobs import uploads as uploads_module
from webapp.jobs.kinds import kind_of, media_type_of
from webapp.jobs.record import Failure, JobRecord, Reason
from webapp.jobs.service import displayed_name
from webapp.jobs.store import RECORD, JobStore, new_id
from webapp.jobs.uploads import (
    CHECK_BYTES,
    MAX_ANONYMOUS_UPLOADS,
    MAX_UPLOADS,
    MAX_UPLOADS_PER_OWNER,
    SLICE_BYTES,
    JobUploads,
)

JPEG = b"\xff\xd8\xff\xe0"
MP4 = b"\0\0\0\x20ftypisom"


@pytest.fixture
def store(tmp_path: Path) -> JobStore:
    made = JobStore(tmp_path / "jobs")
    made.prepare()
    return made


def added(store: JobStore, **changes: object) -> JobRecord:
    upload = store.new_upload()
    upload.write_bytes(JPEG)
    record = JobRecord(new_id(), "me", "me", "a.jpg", "image", "image/jpeg", 4, time.time())
    record = replace(record, **changes)  # type: ignore[arg-type]
    store.add(record, upload)
    return record


def test_a_record_comes_back_as_it_was_kept(store: JobStore) -> None:
    why = Reason("b.jpg: it is bad", "long_video", {"minutes": 30.0})
    record = added(store, failures=(Failure("b.jpg", why),), error=why, results=("results.csv",), fps=2.5)
    assert store.get(record.id) == record and store.all() == [record]


def test_the_reasons_of_an_earlier_version_are_kept_as_texts(store: JobStore) -> None:
    record = added(store)
    path = store.path(record.id, RECORD)
    kept = json.loads(path.read_text()) | {"error": "a.jpg: bad", "failures": [["b.jpg", "b.jpg: bad"]]}
    path.write_text(json.dumps(kept))
    found = store.get(record.id)
    assert found is not None
    assert found.error == Reason("a.jpg: bad") and found.failures == (Failure("b.jpg", Reason("b.jpg: bad")),)


@pytest.mark.parametrize("name", ["..", "../../etc", "0" * 19, "removed", "", "0" * 20])
def test_what_is_no_id_names_no_job(store: JobStore, name: str) -> None:
    assert store.get(name) is None


def test_a_removed_job_is_gone_at_once_and_whoever_works_on_it_learns_that(store: JobStore) -> None:
    record = added(store)
    store.remove(record.id)
    assert store.all() == []
    with pytest.raises(JobRemovedError):
        store.update(replace(record, progress=0.5))
    store.clear_removed()
    assert not [path for path in store.folder.rglob("*") if path.is_file() and path.name != "queue.id"]


def test_large_files_are_deleted_too(store: JobStore) -> None:
    record = added(store)
    with store.path(record.id, "annotated.mp4").open("wb") as file:
        file.truncate(300_000_000)
    store.remove(record.id)
    store.clear_removed()
    assert store.used_bytes() < 1_000_000


def test_the_size_can_be_asked_while_jobs_are_deleted(
    store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(20):
        added(store)
    pauses = itertools.count()

    def delete_in_the_middle(_: float) -> None:
        if next(pauses) == 30:
            for record in store.all():
                store.remove(record.id)
            store.clear_removed()

    monkeypatch.setattr("webapp.jobs.store.time.sleep", delete_in_the_middle)
    assert store.used_bytes() >= 0
    assert store.all() == []


def test_the_files_of_removed_jobs_can_be_deleted_by_two_at_once(
    store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(20):
        record = added(store)
        (store.folder / record.id / "parts").mkdir()
        store.remove(record.id)
        store.remove(record.id)  # as its owner does when its time ends
    removed = store.folder / "removed"

    def delete_all(_: Path) -> None:
        for folder in removed.iterdir():
            shutil.rmtree(folder)

    monkeypatch.setattr(store_module, "_shrink", delete_all)
    store.clear_removed()
    assert not list(removed.iterdir())


def test_what_a_killed_server_left_is_removed_by_the_next(store: JobStore) -> None:
    kept = added(store)
    store.new_upload().write_bytes(b"half of a file")
    (store.folder / new_id()).mkdir()
    damaged = added(store)
    store.path(damaged.id, "job.json").write_text("{")
    JobStore(store.folder).prepare()
    assert store.all() == [kept]
    assert not list((store.folder / "uploads").iterdir()) and not list((store.folder / "removed").iterdir())


@pytest.mark.parametrize(
    ("name", "start", "kind", "media_type"),
    [
        ("a.jpg", JPEG, "image", "image/jpeg"),
        ("a.mp4", JPEG, "image", "image/jpeg"),
        ("a.mov", b"\0\0\0\x14ftypqt  ", "video", "video/quicktime"),
        ("a.bin", MP4, "video", "video/mp4"),
        ("a.heic", b"\0\0\0\x18ftypheic", "image", "application/octet-stream"),
        ("a.jpg", b"<html>", "image", "application/octet-stream"),
        ("a.mp4", b"<html>", "video", "application/octet-stream"),
        ("a.ZIP", b"PK\x03\x04", "images", "application/zip"),
    ],
)
def test_content_says_what_a_file_is_and_how_it_is_served(
    name: str, start: bytes, kind: str, media_type: str
) -> None:
    found = kind_of(name, start)
    assert (found, media_type_of(found, start)) == (kind, media_type)


@pytest.mark.parametrize(("name", "start"), [("a.jpg", b""), ("a.docx", b"PK\x03\x04"), ("a.zip", JPEG)])
def test_an_empty_file_and_a_wrong_archive_are_refused(name: str, start: bytes) -> None:
    with pytest.raises(BadUploadError, match=name):
        kind_of(name, start)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("C:\\faces\\a.jpg", "a.jpg"),
        ("/etc/../a.jpg", "a.jpg"),
        ("", "file"),
        (None, "file"),
        ("a\nb\u202e.jpg", "a\ufffdb\ufffd.jpg"),
        ("x" * 300 + ".mp4", "x" * 196 + ".mp4"),
    ],
)
def test_names_are_shown_without_folders_and_controls(given: str | None, shown: str) -> None:
    assert displayed_name(given) == shown


def test_an_upload_stops_at_the_limit_and_leaves_nothing(tmp_path: Path, store: JobStore) -> None:
    uploads = JobUploads(Settings(data_dir=tmp_path, max_upload_mb=1), store)
    with pytest.raises(UploadTooLargeError), uploads.receiving("me", None, lambda s: None) as upload:
        while True:
            upload.write(bytes(100_000))
    assert not list((store.folder / "uploads").iterdir())


def test_uploads_of_unknown_size_stay_within_the_share_of_the_disk(tmp_path: Path, store: JobStore) -> None:
    with (store.folder / "uploads" / "of somebody else").open("wb") as file:
        file.truncate(970_000_000)
    uploads = JobUploads(Settings(data_dir=tmp_path, jobs_disk_gb=1), store)
    with uploads.receiving("me", None, lambda s: None) as upload:
        with pytest.raises(NoSpaceError, match="MIEN_JOBS_DISK_GB"):
            for _ in range(100):
                upload.write(bytes(1 << 20))
        assert upload.size <= CHECK_BYTES


def test_an_upload_gets_more_time_with_each_megabyte(tmp_path: Path, store: JobStore) -> None:
    given: list[float] = []
    uploads = JobUploads(Settings(data_dir=tmp_path), store)
    with uploads.receiving("me", None, given.append) as upload:
        for _ in range(10):
            upload.write(bytes(SLICE_BYTES // 2))
    assert len(given) == 5


def test_one_sender_has_few_uploads_under_way(tmp_path: Path, store: JobStore) -> None:
    uploads = JobUploads(Settings(data_dir=tmp_path), store)

    def receive(left: int) -> None:
        with uploads.receiving("me", 10, lambda s: None):
            if left > 1:
                receive(left - 1)

    receive(MAX_UPLOADS_PER_OWNER)
    with pytest.raises(TooManyJobsError):
        receive(MAX_UPLOADS_PER_OWNER + 1)
    receive(MAX_UPLOADS_PER_OWNER)


def test_senders_without_an_account_leave_room_for_the_others(
    tmp_path: Path, store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads_module, "MIN_FREE_BYTES", 0)
    uploads = JobUploads(Settings(data_dir=tmp_path, jobs_disk_gb=1), store)
    kept = added(store, counts_for="address:192.0.2.1")
    with (store.folder / kept.id / "results.json").open("wb") as file:
        file.truncate(400_000_000)
    with (
        pytest.raises(NoSpaceError, match="without an account"),
        uploads.receiving("address:192.0.2.2", 200_000_000, print),
    ):
        pass
    with (
        uploads.receiving("address:192.0.2.2", 50_000_000, print),
        uploads.receiving("key:1", 2 * 10**8, print),
    ):
        pass


def test_senders_without_an_account_leave_uploads_for_the_others(tmp_path: Path, store: JobStore) -> None:
    uploads = JobUploads(Settings(data_dir=tmp_path), store)
    with ExitStack() as under_way:
        for number in range(MAX_ANONYMOUS_UPLOADS):
            under_way.enter_context(uploads.receiving(f"address:192.0.2.{number}", 10, print))
        with pytest.raises(TooManyJobsError), uploads.receiving("address:192.0.2.99", 10, print):
            pass
        for number in range(MAX_UPLOADS - MAX_ANONYMOUS_UPLOADS):
            under_way.enter_context(uploads.receiving(f"key:{number}", 10, print))
        with pytest.raises(TooManyJobsError), uploads.receiving("key:99", 10, print):
            pass


def test_an_upload_that_does_not_fit_on_the_disk_is_not_begun(
    tmp_path: Path, store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads = JobUploads(Settings(data_dir=tmp_path, jobs_disk_gb=1, max_upload_mb=5000), store)
    with pytest.raises(NoSpaceError, match="MIEN_JOBS_DISK_GB"), uploads.receiving("me", 2 * 10**9, print):
        pass
    monkeypatch.setattr(uploads_module, "MIN_FREE_BYTES", 1 << 60)
    with pytest.raises(NoSpaceError, match="too full"), uploads.receiving("me", 10, print):
        pass
