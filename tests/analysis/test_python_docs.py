"""The examples of docs/python.md run, and give what it says."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

from tests.helpers.made_videos import Visit, constant_times, write_video
from webapp.config import PROJECT_ROOT

PAGE = PROJECT_ROOT / "docs" / "python.md"


def test_the_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_video(tmp_path / "video.mp4", constant_times(2, 10), (Visit("astronaut", 0, 9, left=True),))
    (tmp_path / "webapp").symlink_to(PROJECT_ROOT / "webapp")
    monkeypatch.chdir(tmp_path)
    failed, tried = doctest.testfile(str(PAGE), module_relative=False)
    assert (failed, tried > 8) == (0, True)
