from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

from webapp.app import create_app
from webapp.config import PROJECT_ROOT, Settings
from webapp.version import VERSION, model_version


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == VERSION


def test_the_version_of_a_model_tells_its_file(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.write_bytes(b"weights")
    assert model_version(model) == hashlib.sha256(b"weights").hexdigest()[:12]


def test_pages_and_the_health_check_name_the_version(tmp_path: Path) -> None:
    client = create_app(Settings(data_dir=tmp_path)).test_client()
    assert client.get("/healthz").get_json() == {"status": "ok", "version": VERSION, "node": "mien"}
    assert f"Mien {VERSION}" in client.get("/r").text
