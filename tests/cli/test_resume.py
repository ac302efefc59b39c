"""Runs of `mien analyze` that go on with earlier ones."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from tests.cli.commands import all_forms, inputs_of, rows, run
from tests.vision.images import astronaut, grace_hopper
from webapp.cli.inputs import find_inputs, stamp_of
from webapp.cli.journal import Journal
from webapp.cli.summary import InputSummary


def test_finished_inputs_are_kept_and_changed_and_failed_ones_analyzed_again(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name, image in (("a.jpg", astronaut()), ("b.jpg", astronaut())):
        cv2.imwrite(str(folder / name), image)
    (folder / "c.jpg").write_text("hello")
    outputs = all_forms(tmp_path)
    assert run(folder, *outputs).exit_code == 1
    cv2.imwrite(str(folder / "b.jpg"), np.zeros((50, 50, 3), np.uint8))
    cv2.imwrite(str(folder / "c.jpg"), grace_hopper())
    done = run(folder, *outputs, "--resume")
    assert done.exit_code == 0 and "3 inputs, of which 1 were finished before" in done.output
    assert [bool(row["face_id"]) for row in rows(tmp_path / "r.csv")] == [True, False, True]
    assert [len(frame["faces"]) for frame in json.loads((tmp_path / "r.json").read_text())] == [1, 0, 1]
    assert len(pd.read_parquet(tmp_path / "r.parquet")) == 3
    changed = run(folder, *outputs, "--resume", "--every", 2)
    assert changed.exit_code == 2 and "other options (every)" in changed.output


@pytest.fixture
def resumable(tmp_path: Path) -> Path:
    """A folder with an image, and the table of it with its journal."""
    cv2.imwrite(str(tmp_path / "a.jpg"), np.zeros((50, 50, 3), np.uint8))
    assert run(tmp_path / "a.jpg", "--csv", tmp_path / "r.csv").exit_code == 0
    return tmp_path


@pytest.mark.parametrize("missing", ["r.json", "r.csv.progress"])
def test_a_run_does_not_begin_anew_because_one_of_its_files_is_missing(resumable: Path, missing: str) -> None:
    outputs = ["--csv", resumable / "r.csv"]
    if missing == "r.json":
        outputs += ["--json", resumable / "r.json"]
    (resumable / missing).unlink(missing_ok=True)
    before = (resumable / "r.csv").read_bytes()
    done = run(resumable / "a.jpg", *outputs, "--resume")
    assert done.exit_code == 2 and f"{resumable / missing} of the run to go on with" in done.output
    assert (resumable / "r.csv").read_bytes() == before


def test_results_of_what_cannot_be_found_now_are_kept(resumable: Path) -> None:
    """As of a disk that is not there; once it is, nothing is analyzed again."""
    cv2.imwrite(str(resumable / "b.jpg"), np.zeros((40, 40, 3), np.uint8))
    outputs = ["--csv", resumable / "r.csv", "--resume"]
    (resumable / "a.jpg").rename(resumable / "away")
    assert run(resumable / "b.jpg", *outputs).exit_code == 0
    assert inputs_of(rows(resumable / "r.csv")) == ["a.jpg", "b.jpg"]
    (resumable / "away").rename(resumable / "a.jpg")
    done = run(resumable / "a.jpg", resumable / "b.jpg", *outputs)
    assert done.exit_code == 0 and "2 inputs, of which 2 were finished before" in done.output


def test_a_run_goes_on_with_the_same_files_only(resumable: Path) -> None:
    (resumable / "r.json").write_text("[]")
    done = run(resumable / "a.jpg", "--csv", resumable / "r.csv", "--json", resumable / "r.json", "--resume")
    assert done.exit_code == 2 and "other options (files)" in done.output
    assert (resumable / "r.json").read_text() == "[]"


def test_an_input_that_changed_while_it_was_read_is_not_finished(tmp_path: Path) -> None:
    photo, path = tmp_path / "a.jpg", tmp_path / "r.csv.progress"
    photo.write_bytes(b"at first")
    stamp = stamp_of(str(photo))
    photo.write_bytes(b"and then more")
    journal = Journal(path, {}, resume=False)
    journal.add(InputSummary(str(photo)), stamp)
    journal.close()
    again = Journal(path, {}, resume=True)
    again.close()
    assert again.finished == {}


def test_annotated_copies_within_a_folder_are_no_inputs_of_the_next_run(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.jpg"), np.zeros((50, 50, 3), np.uint8))
    outputs = ["--annotate", tmp_path / "out", "--csv", tmp_path / "r.csv"]
    assert run(tmp_path, *outputs).exit_code == 0 and (tmp_path / "out" / "a.jpg").is_file()
    done = run(tmp_path, *outputs, "--resume")
    assert done.exit_code == 0 and "1 inputs, of which 1 were finished before" in done.output


def test_only_a_folder_of_copies_within_the_inputs_is_left_out(tmp_path: Path) -> None:
    photos, out = tmp_path / "photos", tmp_path / "photos" / "out"
    out.mkdir(parents=True)
    for path in (photos / "a.jpg", out / "a.jpg"):
        path.write_bytes(b"photo")
    whole = [str(photos / "a.jpg"), str(out / "a.jpg")]
    for copies in (None, photos, tmp_path, tmp_path / "elsewhere"):
        assert [one.name for one in find_inputs([str(photos)], copies)] == whole, copies
    assert [one.name for one in find_inputs([str(photos)], out)] == whole[:1]
    assert [one.name for one in find_inputs([str(out)], out)] == whole[1:]


def test_the_first_run_may_have_resume(resumable: Path) -> None:
    assert run(resumable / "a.jpg", "--json", resumable / "new.json", "--resume").exit_code == 0


@pytest.mark.parametrize(
    "line",
    [
        "[]",
        "1",
        "{}",
        "hello",
        "[" * 100_000,
        '{"name": "x"}',
        '{"name": "x\\u0000", "stamp": []}',
        '{"name": 1, "stamp": []}',
        '{"name": "x", "frames": "many", "stamp": []}',
        '{"name": "x", "expressions": {"happy": "yes"}, "stamp": []}',
        '{"name": "x", "stamp": [], "more": 1}',
    ],
)
def test_damaged_lines_of_a_journal_are_skipped(resumable: Path, line: str) -> None:
    journal = resumable / "r.csv.progress"
    first, finished = journal.read_text().splitlines()
    journal.write_text(f"{first}\n{line}\n{finished}\n")
    done = run(resumable / "a.jpg", "x", "--csv", resumable / "r.csv", "--resume")
    assert done.exit_code == 1, "there is no x"
    assert "2 inputs, of which 1 were finished before" in done.output


@pytest.mark.parametrize("content", ["", "hello", "[]", "{}", '{"options": 1}'])
def test_a_foreign_journal_is_refused(resumable: Path, content: str) -> None:
    (resumable / "r.csv.progress").write_text(content)
    done = run(resumable / "a.jpg", "--csv", resumable / "r.csv", "--resume")
    assert done.exit_code == 2 and "does not begin with the options of a run" in done.output
