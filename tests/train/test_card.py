from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from models.train.export import MODEL_FILES, MODELS
from models.train.teachers.recipe import TEACHERS
from models.train.teachers.schedule import finished_cycles
from models.train.teachers.settings import TeacherSettings
from webapp.messages import LABELS

CARD = (MODELS / "README.md").read_text()


@pytest.mark.parametrize("name", MODEL_FILES)
def test_the_card_names_the_files_that_are_here(name: str) -> None:
    line = re.search(rf"\| `{re.escape(name)}` \| `([0-9a-f]{{64}})` \|", CARD)
    assert line is not None
    assert line[1] == hashlib.sha256((MODELS / name).read_bytes()).hexdigest()


def test_the_card_names_every_teacher_that_is_here() -> None:
    paths = sorted((MODELS / "teachers").glob("*.npz"))
    named = dict(re.findall(r"\| `teachers/([a-z]+-\d+\.npz)` \| `([0-9a-f]{64})` \|", CARD))
    assert named == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
    assert paths


@pytest.mark.parametrize("path", sorted((MODELS / "teachers").glob("*.npz")), ids=lambda path: path.name)
def test_a_kept_teacher_is_small_and_says_what_it_is(path: Path) -> None:
    values = json.loads(path.with_suffix(".json").read_text())
    settings = TeacherSettings.from_dict(values["settings"])
    assert path.stat().st_size <= 3_000_000
    assert replace(TEACHERS[path.stem.split("-")[0]], cycles=settings.cycles) == settings
    assert finished_cycles(settings, values["epochs"]) == int(path.stem.split("-")[1])
    assert 0.5 < values["accuracy"] < 1


def test_the_shipped_labels_are_those_of_the_program() -> None:
    assert json.loads((MODELS / "labels.json").read_text()) == list(LABELS)


def test_the_card_says_where_the_model_must_not_be_used() -> None:
    assert "Art. 5(1)(f)" in CARD
    assert "at work or in education" in CARD
