"""docs/load_export.py reads what a real server exports, with pandas, and as `feat.Fex` where that is."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.helpers.exports import (
    CODE,
    HAPPY,
    NEUTRAL,
    START_MS,
    add_marker,
    add_person,
    new_archive,
    sample,
    save,
)
from tests.helpers.room_client import (
    CLOCK_ERROR_S,
    TOKEN,
    ParticipantClient,
    api,
    make_room,
    wait_until_stored,
)
from tests.helpers.serving import PROJECT_ROOT, Server
from webapp.export.codebook import COLUMNS, FILE_COLUMNS
from webapp.export.file_results import open_results
from webapp.export.zip import write_export
from webapp.protocol import LABELS, Box, Face, FileFrame, Pose, Region
from webapp.store.database import open_database

pandas = pytest.importorskip("pandas")
pytest.importorskip("pyarrow")

SCRIPT = PROJECT_ROOT / "docs" / "load_export.py"
FRAMES = 6
FORMS = ("csv", "parquet", "bids")


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory, astronaut_jpeg: bytes) -> dict[str, Path]:
    """In both forms, of two people, one with a face and one without, with a marker."""
    nobody_jpeg = bytes(cv2.imencode(".jpg", np.full((240, 320, 3), 90, np.uint8))[1])
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN) as server:
        room = make_room(server)
        with ParticipantClient(server) as anna, ParticipantClient(server) as ben:
            anna.join(room, alias="Anna")
            ben.join(room, alias="Ben")
            api(server, "POST", f"/rooms/{room}/recording", {"state": "started"})
            time.sleep(CLOCK_ERROR_S)
            for number in range(FRAMES):
                anna.send(astronaut_jpeg)
                ben.send(nobody_jpeg)
                if number == FRAMES // 2:
                    api(server, "POST", f"/rooms/{room}/markers", {"label": "Film begins"})
        wait_until_stored(server, room, 2 * FRAMES)
        paths = {form: tmp_path_factory.mktemp(form) / f"mien-{room}.zip" for form in FORMS}
        for form, path in paths.items():
            path.write_bytes(api(server, "GET", f"/rooms/{room}/export.zip?format={form}").content)
    return paths


@pytest.fixture(params=FORMS)
def exported(exports: dict[str, Path], request: pytest.FixtureRequest) -> Path:
    return exports[request.param]


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
    assert {str(samples[name].dtype) for name in script.TIMES} == {"datetime64[ms, UTC]"}
    of_anna, of_ben = (samples[samples["alias"] == alias] for alias in ("Anna", "Ben"))
    assert of_anna[script.EMOTIONS].sum(axis=1).to_numpy() == pytest.approx(np.ones(FRAMES), abs=1e-4)
    assert of_ben[[*script.EMOTIONS, *script.FACE_BOX, *script.POSE]].isna().all(axis=None)
    assert samples["marker"].dropna().tolist() == ["Film begins", "Film begins"]


@pytest.mark.parametrize("form", FORMS[1:])
def test_all_forms_load_as_the_same_samples(script: Any, exports: dict[str, Path], form: str) -> None:
    def ordered(name: str) -> Any:
        samples = script.load(exports[name])
        return samples.sort_values(["recording", "t", "participant"], ignore_index=True)

    pandas.testing.assert_frame_equal(ordered("csv"), ordered(form), check_exact=True)


@pytest.mark.parametrize("form", FORMS)
def test_all_forms_load_as_the_same_tables_with_times_as_times(
    script: Any, exports: dict[str, Path], form: str
) -> None:
    tables, plain = script.load_tables(exports[form]), script.load_tables(exports["csv"])
    assert set(tables) == {"markers", "participants"} | (set() if form == "bids" else {"summary"})
    for name, table in tables.items():
        expected = plain[name].dropna(axis=1, how="all")  # an empty column of CSV has no type
        pandas.testing.assert_frame_equal(table[expected.columns], expected, check_exact=True)
    assert str(tables["markers"]["timestamp"].dtype) == "datetime64[ms, UTC]"
    assert str(tables["participants"]["consented"].dtype) == "datetime64[ms, UTC]"


def test_the_signals_of_a_bids_export_have_their_times(script: Any, exports: dict[str, Path]) -> None:
    signals = script.load_physio(exports["bids"])
    assert set(signals["subject"]) == {"01", "02"} and set(signals["run"]) == {1}
    of_one = signals[signals["subject"] == "01"]
    assert of_one["t"].diff().dropna().to_numpy() == pytest.approx(0.1)
    assert of_one[script.EMOTIONS].dropna().sum(axis=1).to_numpy() == pytest.approx(1.0, abs=1e-4)


def test_an_export_without_signals_says_where_they_are(script: Any, exports: dict[str, Path]) -> None:
    with pytest.raises(ValueError, match="BIDS"):
        script.load_physio(exports["csv"])


def frames_of_files() -> list[FileFrame]:
    """Two frames of a video, one without a face."""
    probabilities = dict(zip(LABELS, (0.1, 0.05, 0.05, 0.5, 0.1, 0.1, 0.1), strict=True))
    face = Face(
        box=Box(10.0, 20.0, 30.0, 40.0),
        region=Region(0.5, 0.5, 0.2, 0.0),
        score=0.97,
        landmarks="{}",
        pose=Pose(yaw=3.5, pitch=-2.0, roll=1.0),
        probabilities=probabilities,
        raw_probabilities=probabilities,
        id=1,
    )
    return [FileFrame("NA.mp4", 0, 0.0, 64, 48, (face,)), FileFrame("NA.mp4", 1, 0.04, 64, 48, ())]


def test_results_of_files_load_as_the_same_samples(script: Any, tmp_path: Path) -> None:
    loaded = {}
    for form in ("csv", "json", "parquet"):
        path = tmp_path / f"results.{form}"
        results = open_results(path, form)
        results.add(frames_of_files())
        results.close()
        loaded[form] = script.load(path)
    assert list(loaded["csv"].columns) == [column.name for column in FILE_COLUMNS]
    for form in ("json", "parquet"):
        pandas.testing.assert_frame_equal(loaded[form], loaded["csv"], check_dtype=False)
    assert loaded["json"]["input"].tolist() == ["NA.mp4", "NA.mp4"]
    assert len(script.main_faces(loaded["csv"])) == 2


@pytest.mark.parametrize(
    ("pose", "name", "sign"), [("Pitch", "pose_Rx", -1), ("Yaw", "pose_Ry", -1), ("Roll", "pose_Rz", 1)]
)
def test_openface_has_the_same_angles_in_radians(script: Any, pose: str, name: str, sign: int) -> None:
    samples = pandas.DataFrame({"frame": [4], "face_id": [2], "t": [0.5], "FaceScore": [0.9]})
    samples[script.POSE] = 0.0
    samples[pose] = 30.0
    found = script.as_openface(samples)
    assert found[name].to_numpy() == pytest.approx(sign * np.pi / 6)
    assert found[["pose_Rx", "pose_Ry", "pose_Rz"]].abs().sum(axis=1).to_numpy() == pytest.approx(np.pi / 6)
    assert found.iloc[0][["frame", "face_id", "timestamp", "confidence", "success"]].tolist() == [
        4,
        1,
        0.5,
        0.9,
        1,
    ]


def test_openfaces_angles_make_the_same_rotation(script: Any) -> None:
    pitch, roll, yaw = np.radians([25.0, -15.0, 40.0])
    x, y, z = (float(angle) for angle in script._openface_rotation(pitch, roll, yaw))
    turned = about_x(x) @ about_y(y) @ about_z(z)
    assert turned == pytest.approx(about_z(roll) @ about_y(-yaw) @ about_x(-pitch))


def about_x(angle: float) -> Any:
    return np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])


def about_y(angle: float) -> Any:
    return np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])


def about_z(angle: float) -> Any:
    return np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])


def test_an_export_with_samples_of_no_one_loads_empty(script: Any, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'test.sqlite'}"
    new_archive(url, "ann").close()
    engine = open_database(url)
    path = tmp_path / "empty.zip"
    path.write_bytes(b"".join(write_export(engine, CODE, {}, "bids")))
    engine.dispose()
    with pytest.raises(ValueError, match="no samples"):
        script.load(path)


ODD_TEXTS = ("NA", "null", "None", "nan", "007", "1e5", "True", "2026-05-04", "Zoë")


@pytest.mark.parametrize("form", FORMS)
def test_texts_are_not_guessed_to_be_something_else(script: Any, tmp_path: Path, form: str) -> None:
    url = f"sqlite:///{tmp_path / 'test.sqlite'}"
    archive = new_archive(url)
    archive.recordings.start_recording(CODE, START_MS)
    people = [f"{number}23e45678901"[:12] for number in range(len(ODD_TEXTS))]
    for one, alias in zip(people, ODD_TEXTS, strict=True):
        add_person(archive, one, alias)
        archive.recordings.add_samples([sample(one, 0, 1.0, model="123456789012", captured_ms=1e300)])
    archive.close()
    engine = open_database(url)
    samples = script.load(save(engine, tmp_path / "odd.zip", form))
    engine.dispose()
    assert list(samples["alias"]) == list(ODD_TEXTS)
    assert list(samples["participant"]) == people
    assert set(samples["model"]) == {"123456789012"}
    assert samples["captured"].isna().all()
    assert set(script.participant_means(samples).index) == {*ODD_TEXTS, "All participants"}


@pytest.mark.parametrize("form", FORMS)
def test_texts_that_spreadsheets_take_for_formulas_load_unchanged(
    script: Any, tmp_path: Path, form: str
) -> None:
    url = f"sqlite:///{tmp_path / 'test.sqlite'}"
    archive = new_archive(url, "ann")
    archive.recordings.start_recording(CODE, START_MS)
    labels = ["+", "'quoted'", "=1;=2;q", "\t-1\n@x", "a; 'b'"]
    for number, label in enumerate(labels, 1):
        add_marker(archive, label, float(number))
    archive.recordings.add_samples([sample("ann", number, number + 1.0) for number in range(len(labels))])
    archive.close()
    engine = open_database(url)
    path = save(engine, tmp_path / "signs.zip", form)
    engine.dispose()
    assert list(script.load(path)["marker"]) == labels
    assert list(script.load_tables(path)["markers"]["label"]) == labels


def test_means_are_of_people_and_of_main_faces_not_of_rows(script: Any, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'test.sqlite'}"
    archive = new_archive(url, "ann", "ben")
    archive.recordings.start_recording(CODE, START_MS)
    crowd = [sample("ann", 0, 0.1, NEUTRAL, face_id=face, box=(0.0, 0.0, 9.0, 9.0)) for face in range(2, 6)]
    alone = [sample("ann", 0, 0.1, HAPPY), sample("ann", 1, 0.2, NEUTRAL)]
    archive.recordings.add_samples([*crowd, *alone, sample("ben", 0, 0.1, NEUTRAL)])
    archive.close()
    engine = open_database(url)
    means = script.participant_means(script.load(save(engine, tmp_path / "means.zip", "csv")))
    engine.dispose()
    assert means["happiness"].to_dict() == {"ANN": 0.5, "BEN": 0.0, "All participants": 0.25}


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
