"""docs/load_export.py reads what a real server exports, with pandas, and as `feat.Fex` where that is."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.helpers.serving import PROJECT_ROOT, Server
from tests.rooms.test_service import TOKEN, api, make_room, person, wait_until_stored
from webapp.export.codebook import COLUMNS

pandas = pytest.importorskip("pandas")

SCRIPT = PROJECT_ROOT / "docs" / "load_export.py"
FRAMES = 6


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory, astronaut_jpeg: bytes) -> Path:
    """Of two people, one with a face and one without, with a marker."""
    nobody_jpeg = bytes(cv2.imencode(".jpg", np.full((240, 320, 3), 90, np.uint8))[1])
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN) as server:
        room = make_room(server)
        with person(server) as anna, person(server) as ben:
            anna.join(room, alias="Anna")
            ben.join(room, alias="Ben")
            api(server, "POST", f"/rooms/{room}/recording", {"state": "started"})
            for number in range(FRAMES):
                anna.send(astronaut_jpeg)
                ben.send(nobody_jpeg)
                if number == FRAMES // 2:
                    api(server, "POST", f"/rooms/{room}/markers", {"label": "Film begins"})
        wait_until_stored(server, room, 2 * FRAMES)
        path = tmp_path_factory.mktemp("export") / f"mien-{room}.zip"
        path.write_bytes(api(server, "GET", f"/rooms/{room}/export.zip").content)
    return path


@pytest.fixture(scope="module")
def script() -> Any:
    spec = importlib.util.spec_from_file_location("load_export", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pandas_reads_every_sample_with_times_as_times(script: Any, exported: Path) -> None:
    samples = script.load(exported)
    assert list(samples.columns) == [column.name for column in COLUMNS]
    assert samples["alias"].value_counts().to_dict() == {"Anna": FRAMES, "Ben": FRAMES}
    assert str(samples["timestamp"].dtype.tz) == str(samples["received"].dtype.tz) == "UTC"
    of_anna, of_ben = (samples[samples["alias"] == alias] for alias in ("Anna", "Ben"))
    assert of_anna[script.EMOTIONS].sum(axis=1).to_numpy() == pytest.approx(np.ones(FRAMES), abs=1e-4)
    assert of_ben[[*script.EMOTIONS, *script.FACE_BOX, *script.POSE]].isna().all(axis=None)
    assert samples["marker"].dropna().tolist() == ["Film begins", "Film begins"]


def test_run_as_a_program_it_prints_means_and_markers(exported: Path) -> None:
    shown = subprocess.run(
        [sys.executable, SCRIPT, exported], capture_output=True, text=True, check=True
    ).stdout
    assert re.search(r"^Anna( +0\.\d+){8}$", shown, re.MULTILINE)
    assert len(re.findall(r"(?:Anna|Ben) +\d\.\d+ +Film begins", shown)) == 2


def test_py_feat_knows_its_columns(script: Any, exported: Path) -> None:
    feat = pytest.importorskip("feat")
    fex = script.as_fex(script.load(exported))
    assert isinstance(fex, feat.Fex)
    for part, columns in ((fex.emotions, "EMOTIONS"), (fex.faceboxes, "FACE_BOX"), (fex.poses, "POSE")):
        assert list(part.columns) == getattr(script, columns)
    assert fex.aus.shape == (2 * FRAMES, 0)
    assert dict(fex.extract_mean()["mean_happiness"].dropna().gt(0.5)) == {fex["participant"].iloc[0]: True}
    assert {len(session) for _, session in fex.itersessions()} == {FRAMES}
