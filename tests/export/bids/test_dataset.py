"""`?format=bids` gives a data set that the validator of BIDS accepts."""

from __future__ import annotations

import gzip
import io
import json
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.exports import (
    CODE,
    HAPPY,
    NEUTRAL,
    START_MS,
    add_marker,
    exported,
    new_archive,
    rows,
    sample,
)
from tests.helpers.serving import PROJECT_ROOT
from webapp.export.bids.subjects import subject_labels
from webapp.export.export_slots import ExportSlots
from webapp.export.zip import write_export
from webapp.store.database import open_database
from webapp.store.records import MarkerRecord, ParticipantRecord

VALIDATOR = PROJECT_ROOT / "node_modules" / "bids-validator" / "bin" / "bids-validator"
TIMEOUT_S = 600
RUN = "sub-01/beh/sub-01_task-Room_run-01"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Three participants in two recordings; cat is in the first one only, and dan in none."""
    url = f"sqlite:///{tmp_path_factory.mktemp('database') / 'test.sqlite'}"
    archive = new_archive(url, "ann", "ben", "cat", "dan")
    for recording, start_ms in ((1, START_MS), (2, START_MS + 20_000)):
        archive.recordings.start_recording(CODE, start_ms)
        archive.recordings.stop_recording(recording, start_ms + 10_000)
    for recording, offset_s in ((1, 0), (2, 20)):
        for person in ("ann", "ben", "cat")[: 4 - recording]:
            archive.recordings.add_samples(
                [
                    sample(person, frame, offset_s + frame / 5, HAPPY, recording=recording)
                    for frame in range(50)
                    if frame != 20
                ]
            )
    neighbour = [sample("ann", 3, 0.6, NEUTRAL, face_id=2, box=(0.0, 0.0, 9.0, 9.0))]
    archive.recordings.add_samples([*neighbour, sample("ben", 20, 4.0, shown=None)])
    for label, at_s in (("Film\tbegins", 2.0), ("=Film()", 2.5), ("Film ends", 22.5)):
        add_marker(archive, label, at_s)
    own = MarkerRecord(CODE, START_MS + 3000, "trial", "participant", participant_id="ann")
    archive.markers.add_marker(own)
    archive.close()
    return url


@pytest.fixture(scope="module")
def files(url: str) -> dict[str, bytes]:
    engine = open_database(url)
    found = exported(engine, "bids")
    engine.dispose()
    return found


def physio(files: dict[str, bytes], run: str) -> list[dict[str, str]]:
    """The resampled samples of a run."""
    columns = json.loads(files[f"{run}_physio.json"])["Columns"]
    lines = gzip.decompress(files[f"{run}_physio.tsv.gz"]).decode().splitlines()
    return [dict(zip(columns, line.split("\t"), strict=True)) for line in lines]


def test_the_validator_of_bids_accepts_the_data_set(url: str, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None or not VALIDATOR.exists():
        pytest.skip("needs Node.js and `make setup`")
    engine = open_database(url)
    with zipfile.ZipFile(io.BytesIO(b"".join(write_export(engine, CODE, {"mien": "1"}, "bids")))) as archive:
        archive.extractall(tmp_path)
    engine.dispose()

    def problems() -> tuple[list[str], list[str], Any]:
        ran = subprocess.run(
            [node, VALIDATOR, tmp_path, "--json"], capture_output=True, text=True, timeout=TIMEOUT_S
        )
        found = json.loads(ran.stdout)
        issues = found["issues"]
        return [one["key"] for one in issues["errors"]], [one["key"] for one in issues["warnings"]], found

    errors, warnings, found = problems()
    assert errors == []
    assert warnings == ["INCONSISTENT_SUBJECTS", "NO_AUTHORS"], (
        "cat was in one recording; authors are unknown"
    )
    assert sorted(found["summary"]["subjects"]) == ["01", "02", "03"]
    (tmp_path / f"{RUN}_physio.json").unlink()
    assert problems()[0], "the validator looks at these files"


def test_signals_are_resampled_at_the_rate_that_the_sidecar_states(files: dict[str, bytes]) -> None:
    sidecar = json.loads(files[f"{RUN}_physio.json"])
    assert (sidecar["SamplingFrequency"], sidecar["StartTime"]) == (10, 0)
    assert all(sidecar[name]["Description"] and sidecar[name]["Units"] for name in sidecar["Columns"])
    samples = physio(files, RUN)
    assert len(samples) == 101, "ten seconds, and the sample at their end"
    assert {one["happiness"] for one in samples[:99]} == {"1"}, "interpolated over the lost frame"
    assert {one["happiness"] for one in samples[99:]} == {"n/a"}, "the last frame was at 9.8 s"
    no_face = physio(files, "sub-02/beh/sub-02_task-Room_run-01")
    assert [one["face"] for one in no_face[38:43]] == ["1", "n/a", "0", "n/a", "1"]
    assert [one["happiness"] for one in no_face[38:43]] == ["1", "n/a", "n/a", "n/a", "1"]


def test_each_recording_is_a_run_of_those_who_were_in_it(files: dict[str, bytes]) -> None:
    runs = sorted(name for name in files if name.endswith("_physio.tsv.gz"))
    assert [name.split("/")[-1] for name in runs] == [
        f"sub-0{subject}_task-Room_run-0{run}_physio.tsv.gz"
        for subject, run in ((1, 1), (1, 2), (2, 1), (2, 2), (3, 1))
    ]
    people = [line.split("\t") for line in files["participants.tsv"].decode().splitlines()]
    assert [row[:3] for row in people[1:]] == [
        ["sub-01", "ann", "ANN"],
        ["sub-02", "ben", "BEN"],
        ["sub-03", "cat", "CAT"],
    ]
    assert set(json.loads(files["participants.json"])) == set(people[0])


def test_events_are_the_markers_of_all_and_the_participants_own(files: dict[str, bytes]) -> None:
    def events(run: str) -> list[list[str]]:
        return [line.split("\t") for line in files[f"{run}_events.tsv"].decode().splitlines()]

    assert events(RUN) == [
        ["onset", "duration", "trial_type", "source"],
        ["2", "0", "Film begins", "api"],
        ["2.5", "0", "'=Film()", "api"],
        ["3", "0", "trial", "participant"],
    ]
    assert [row[2] for row in events("sub-02/beh/sub-02_task-Room_run-01")[1:]] == ["Film begins", "'=Film()"]
    assert events("sub-02/beh/sub-02_task-Room_run-02")[1][:3] == ["2.5", "0", "Film ends"]


def test_every_face_as_it_was_recorded_is_under_sourcedata(url: str, files: dict[str, bytes]) -> None:
    engine = open_database(url)
    whole = exported(engine)
    engine.dispose()
    raw = [row for name in files if name.endswith("_samples.csv") for row in rows(files[name])]
    assert sorted(map(str, raw)) == sorted(map(str, rows(whole["samples.csv"])))
    for name in ("markers.csv", "participants.csv"):
        assert files[f"sourcedata/{name}"] == whole[name]
    assert json.loads(files["sourcedata/room.json"]) == json.loads(whole["room.json"])


def test_subjects_have_the_labels_of_the_experiment_where_these_tell_them_apart() -> None:
    found = labels_of("P-01", "p01", None, "04", "++")
    assert found == ["P01", "02", "03", "04", "05"]
    assert all(label.isalnum() for label in found)


@pytest.mark.parametrize(
    ("labels", "recorded", "found"),
    [
        ((None, "01", "02", "03"), "0123", ["001", "01", "02", "03"]),
        (("01", "01", "02", "03"), "0123", ["01", "002", "02", "03"]),
        (("01", "01", "02", "03"), "123", ["001", "01", "02", "03"]),
    ],
)
def test_nobody_is_called_as_another_participant_of_the_experiment(
    labels: tuple[str | None, ...], recorded: str, found: list[str]
) -> None:
    assert labels_of(*labels, recorded=recorded) == found


def labels_of(*labels: str | None, recorded: str = "") -> list[str]:
    people = [
        ParticipantRecord(str(number), CODE, "Sam", "", "", START_MS, participant_label=label)
        for number, label in enumerate(labels)
    ]
    return list(subject_labels(people, set(recorded)).values())


def test_an_export_that_is_broken_off_leaves_nothing_open(url: str) -> None:
    engine = open_database(url)
    slots = ExportSlots()
    export_id = slots.open(CODE, write_export(engine, CODE, {}, "bids"))
    assert export_id and slots.read(export_id)
    assert engine.pool.checkedout() == 1  # type: ignore[attr-defined]
    slots.close_all()
    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    engine.dispose()
