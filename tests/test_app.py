"""The parts of an application: started in order, stopped in reverse."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from webapp.app import Application
from webapp.config import Settings
from webapp.errors import SettingsError
from webapp.server.folder_lock import FolderLock


class Part:
    """Notes when it starts and stops; one that `fails` does so as it starts."""

    def __init__(self, name: str, log: list[str], fails: bool = False) -> None:
        self._name, self._log, self._fails = name, log, fails

    def start(self) -> None:
        if self._fails:
            raise SettingsError(f"{self._name} cannot start")
        self._log.append(f"start {self._name}")

    def stop(self) -> None:
        self._log.append(f"stop {self._name}")
        if self._name == "frail":
            raise OSError("broken")


@pytest.fixture
def built(tmp_path: Path) -> Application:
    return Application.build(Settings(data_dir=tmp_path))


def test_parts_start_in_order_and_stop_in_reverse(built: Application) -> None:
    log: list[str] = []
    with replace(built, parts=(Part("store", log), Part("ticker", log))).running():
        log.append("serve")
    assert log == ["start store", "start ticker", "serve", "stop ticker", "stop store"]


def test_where_a_part_cannot_start_those_before_it_are_stopped(built: Application) -> None:
    log: list[str] = []
    parts = (Part("store", log), Part("ticker", log, fails=True), Part("writer", log))
    with pytest.raises(SettingsError, match="ticker"), replace(built, parts=parts).running():
        log.append("serve")
    assert log == ["start store", "stop store"]


def test_a_part_that_cannot_be_stopped_keeps_no_other_running(built: Application) -> None:
    log: list[str] = []
    parts = (Part("store", log), Part("frail", log))
    with pytest.raises(OSError, match="broken"), replace(built, parts=parts).running():
        pass
    assert log[-2:] == ["stop frail", "stop store"]


def test_the_data_folder_is_locked_before_anything_else_starts(built: Application) -> None:
    assert isinstance(built.parts[0], FolderLock)


def test_two_applications_of_one_process_share_no_part(tmp_path: Path) -> None:
    one, other = (Application.build(Settings(data_dir=tmp_path / name)) for name in ("one", "other"))
    assert one.flask.services.rooms is not other.flask.services.rooms
    assert not set(map(id, one.parts)) & set(map(id, other.parts))
