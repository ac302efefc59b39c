from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from webapp.errors import ModelFileError
from webapp.vision import model_files
from webapp.vision.model_files import FACE_DETECTOR, FACE_MESH, ModelFile, read_model


@pytest.mark.parametrize("file", [FACE_DETECTOR, FACE_MESH])
def test_the_installed_files_are_the_ones_expected(file: ModelFile) -> None:
    assert read_model(file)[4:8] == b"TFL3"


def test_a_changed_file_is_refused_with_what_to_do() -> None:
    with pytest.raises(ModelFileError, match="expected 0000.*pip install --force-reinstall"):
        read_model(ModelFile(FACE_MESH.name, "0000"))


def test_a_file_that_the_package_does_not_have_is_named() -> None:
    with pytest.raises(ModelFileError, match="holds no face_of_a_cat.tflite"):
        read_model(ModelFile("face_of_a_cat.tflite", "0000"))


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_files, "PACKAGE", "mien-has-no-such-package")
    with pytest.raises(ModelFileError, match="not installed; run `pip install -r requirements.txt`"):
        read_model(FACE_MESH)


def test_a_file_deleted_after_installing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def gone(_: str) -> list[Any]:
        return [metadata.PackagePath("data", FACE_MESH.name)]

    monkeypatch.setattr(metadata, "files", gone)
    monkeypatch.setattr(metadata.PackagePath, "locate", lambda self: tmp_path / self, raising=False)
    with pytest.raises(ModelFileError, match="is missing; run"):
        read_model(FACE_MESH)
