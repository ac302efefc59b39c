from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.helpers.redis import running_redis
from webapp.cli import checks
from webapp.cli.main import main
from webapp.config import Settings
from webapp.errors import MienError, ModelFileError, SettingsError, StoreError
from webapp.jobs.record import JobRecord


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MIEN_DATA_DIR", str(tmp_path / "data"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        monkeypatch.setenv("MIEN_PORT", str(probe.getsockname()[1]))
    return tmp_path / "data"


def doctor() -> Result:
    return CliRunner().invoke(main, ["doctor"])


def test_all_is_well_and_nothing_is_made(data_dir: Path) -> None:
    done = doctor()
    assert done.exit_code == 0, done.output
    assert {line[:5] for line in done.output.splitlines()} == {"ok   "}
    assert "worker: starts, and finds one happy face" in done.output
    assert not data_dir.exists()


def test_what_fails_is_said_and_the_rest_is_checked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    model = tmp_path / "broken.tflite"
    model.write_bytes(b"x")
    monkeypatch.setenv("MIEN_MODEL", str(model))
    monkeypatch.setattr(checks, "START_TIMEOUT_S", 2.0)
    done = doctor()
    assert done.exit_code == 1
    assert "FAIL  worker: No worker was ready" in done.output and "ok    ports" in done.output


def test_a_setting_that_cannot_be_used_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIEN_PORT", "http")
    assert "FAIL  settings: MIEN_PORT is 'http'" in doctor().output


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SettingsError, match="MIEN_PORT"):
        list(checks.ports(Settings(port=taken.getsockname()[1])))


def test_a_database_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, database="postgresql://mien:hidden@127.0.0.1:1/none")
    with pytest.raises(StoreError, match="does not answer") as error:
        list(checks.database(settings))
    assert "hidden" not in str(error.value)


def test_a_redis_that_is_not_used_is_no_failure() -> None:
    assert "not used" in next(checks.redis(Settings()))


def test_a_redis_that_does_not_answer_is_named_without_its_password() -> None:
    with pytest.raises(MienError, match="redis://127.0.0.1:1/0 does not answer") as error:
        list(checks.redis(Settings(redis_url="redis://mien:hidden@127.0.0.1:1/0")))
    assert "hidden" not in str(error.value)


def test_a_redis_that_answers_is_named_with_its_version() -> None:
    with running_redis() as redis:
        (line,) = checks.redis(Settings(redis_url=redis.url))
    assert re.fullmatch(rf"{redis.url}, version \d+\.\d+\.\d+", line)


def test_jobs_that_take_all_of_their_disk_are_a_failure(tmp_path: Path) -> None:
    job = tmp_path / "jobs" / ("0" * 20)
    job.mkdir(parents=True)
    record = JobRecord(job.name, "a", "a", "a.jpg", "image", "image/jpeg", 1, 0.0)
    (job / "job.json").write_text(record.to_json())
    assert next(checks.jobs(Settings(data_dir=tmp_path))).startswith("1 jobs, 1 of them not finished")
    with (job / "input").open("wb") as file:
        file.truncate(1_100_000_000)
    with pytest.raises(SettingsError, match="MIEN_JOBS_DISK_GB"):
        list(checks.jobs(Settings(data_dir=tmp_path, jobs_disk_gb=1)))


def test_a_model_that_is_missing_or_changed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelFileError, match="no model at"):
        list(checks.expression_model(Settings(model=tmp_path / "none.tflite")))
    monkeypatch.setattr(checks, "PROJECT_ROOT", tmp_path)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "README.md").write_text(f"| `expression.tflite` | `{'0' * 64}` |")
    with pytest.raises(ModelFileError, match="models/README.md says 000"):
        list(checks.expression_model(Settings()))


def test_a_disk_without_room_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "MIN_FREE_BYTES", 1 << 60)
    with pytest.raises(SettingsError, match="GB free"):
        list(checks.data_folder(Settings(data_dir=tmp_path)))


def test_a_wrong_answer_of_the_self_test_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "SELF_TEST_EXPRESSION", "sad")
    with pytest.raises(MienError, match="one sad face, but \\['happy'\\]"):
        list(checks.worker(Settings()))
