"""Files of results: the columns, rows without a face, and what stays of an earlier run."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from tests.helpers.faces import face, probabilities
from webapp.export.codebook import COLUMNS, FILE_COLUMNS
from webapp.export.file_results import Form, open_results
from webapp.protocol import FileFrame, with_probabilities

FORMS: tuple[Form, ...] = ("csv", "json", "parquet")


def frame(name: str, index: int, faces: int = 1) -> FileFrame:
    found = tuple(
        with_probabilities(face(expression="happy"), probabilities("neutral", 0.6), number)
        for number in range(1, faces + 1)
    )
    return FileFrame(name, index, index / 3, 640, 480, found)


def write(path: Path, form: Form, frames: Sequence[FileFrame], keep: Sequence[str] = ()) -> None:
    results = open_results(path, form, keep)
    results.add(frames)
    results.close()


def inputs_in(path: Path, form: Form) -> list[str]:
    if form == "json":
        return [one["input"] for one in json.loads(path.read_text())]
    table = pd.read_csv(path) if form == "csv" else pd.read_parquet(path)
    return list(table["input"])


def test_columns_are_those_of_rooms_after_three_of_its_own() -> None:
    names = [column.name for column in FILE_COLUMNS]
    assert names[:4] == ["input", "frame", "t", "face_id"]
    in_rooms = [column for column in COLUMNS if column.name in names[3:]]
    assert list(FILE_COLUMNS[3:]) == in_rooms
    assert names[12:20] == [
        *("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"),
        "valence",
    ]


def test_a_face_has_raw_and_smoothed_values_and_no_face_is_an_empty_row(tmp_path: Path) -> None:
    write(tmp_path / "r.csv", "csv", [frame("a.mp4", 1, faces=2), frame("a.mp4", 2, faces=0)])
    with (tmp_path / "r.csv").open(newline="") as file:
        first, second, empty = csv.DictReader(file)
    assert (first["face_id"], second["face_id"], empty["face_id"]) == ("1", "2", "")
    assert (float(first["happiness"]), float(first["valence"])) == (1.0, 1.0)
    assert float(first["smooth_neutral"]) == 0.6
    assert first["t"] == "0.333333"
    assert set(list(empty.values())[3:]) == {""}


@pytest.mark.parametrize("form", FORMS)
def test_results_of_kept_inputs_stay_and_others_go(tmp_path: Path, form: Form) -> None:
    path = tmp_path / "results"
    write(path, form, [frame("=a.jpg", 0), frame("b.mp4", 0), frame("b.mp4", 1), frame("c.jpg", 0)])
    write(path, form, [frame("b.mp4", 0)], keep=["=a.jpg", "c.jpg", "gone.jpg"])
    assert [name.lstrip("'") for name in inputs_in(path, form)] == ["=a.jpg", "c.jpg", "b.mp4"]
    write(path, form, [], keep=["b.mp4"])
    assert inputs_in(path, form) == ["b.mp4"]


@pytest.mark.parametrize("form", ["csv", "json"])
def test_a_file_that_was_cut_off_keeps_its_whole_lines(tmp_path: Path, form: Form) -> None:
    path = tmp_path / "results"
    write(path, form, [frame("a.jpg", 0), frame("b.mp4", 0), frame("b.mp4", 1)])
    path.write_bytes(path.read_bytes()[:-40])
    write(path, form, [frame("b.mp4", 0)], keep=["a.jpg"])
    assert inputs_in(path, form) == ["a.jpg", "b.mp4"]


def test_a_parquet_file_that_was_cut_off_is_said_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "r.parquet"
    write(path, "parquet", [frame("a.jpg", 0)])
    path.write_bytes(path.read_bytes()[:-20])
    before = path.read_bytes()
    with pytest.raises(OSError, match="was cut off"):
        open_results(path, "parquet", ["a.jpg"])
    assert path.read_bytes() == before and [one.name for one in tmp_path.iterdir()] == ["r.parquet"]


@pytest.mark.parametrize("form", FORMS)
def test_results_without_any_frame_can_be_read(tmp_path: Path, form: Form) -> None:
    write(tmp_path / "r", form, [])
    assert inputs_in(tmp_path / "r", form) == []
