from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from models.train.bank import Bank, BankError, fingerprint
from models.train.batches import Batches
from models.train.data import UNKNOWN, FaceSet
from models.train.fit import fit
from models.train.runs import RunError, best_score, read_settings
from models.train.settings import Settings
from models.train.targets import targets
from models.train.views import UPRIGHT
from tests.train.data_files import light_and_dark
from tests.train.small_run import SMALL

LEARNING = replace(SMALL, epochs=6)


class PowerCutError(Exception):
    """Stands for whatever stops a training."""


@pytest.fixture(autouse=True)
def _usual_precision() -> Iterator[None]:
    yield
    keras.mixed_precision.set_dtype_policy("float32")


def train(run: Path, settings: Settings = SMALL) -> Path:
    return fit(light_and_dark(64), light_and_dark(20), settings, run)


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights of a finished run."""
    return train(tmp_path_factory.mktemp("run"), LEARNING)


def test_a_small_network_learns_what_is_easy(learnt: Path) -> None:
    assert learnt.is_file()
    assert (best_score(learnt.parent) or 0) > 0.9
    assert read_settings(learnt.parent) == LEARNING


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the cut leaves a log open
def test_a_stopped_run_goes_on_with_the_epoch_that_was_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(tmp_path / "whole")
    with monkeypatch.context() as patched:
        patched.setattr(Batches, "start_epoch", _cut_power_in_epoch_2)
        with pytest.raises(PowerCutError):
            train(tmp_path / "stopped")
    train(tmp_path / "stopped")
    whole, stopped = _history(tmp_path / "whole"), _history(tmp_path / "stopped")
    assert [row["epoch"] for row in stopped] == [0, 1, 2]
    assert stopped[-1]["loss"] == pytest.approx(whole[-1]["loss"], rel=1e-3)
    assert stopped[-1]["val_loss"] == pytest.approx(whole[-1]["val_loss"], rel=1e-3)


def test_a_finished_run_is_left_as_it_is(learnt: Path) -> None:
    before = learnt.read_bytes()
    assert train(learnt.parent, LEARNING).read_bytes() == before


def test_a_run_of_other_settings_is_not_gone_on_with(tmp_path: Path) -> None:
    train(tmp_path / "run", replace(SMALL, epochs=1))
    with pytest.raises(RunError, match="other settings"):
        train(tmp_path / "run", replace(SMALL, epochs=1, batch=8))


def test_a_student_learns_from_a_bank_where_labels_are_missing(tmp_path: Path) -> None:
    faces = light_and_dark(64)
    unlabelled = FaceSet(faces.images, np.full(64, UNKNOWN), np.zeros((64, 10), np.float32))
    student = replace(SMALL, epochs=6, seed=2, distillation=1.0)
    fit(unlabelled, light_and_dark(20), student, tmp_path / "student", knowing_bank(faces))
    assert (best_score(tmp_path / "student") or 0) > 0.9


def test_a_final_run_keeps_its_last_epoch_and_has_no_score(tmp_path: Path) -> None:
    weights = fit(light_and_dark(64), None, replace(SMALL, epochs=2), tmp_path / "run")
    assert weights.is_file()
    assert len((tmp_path / "run" / "history.csv").read_text().splitlines()) == 1 + 2
    assert best_score(tmp_path / "run") is None


def test_distillation_without_a_bank_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BankError, match="no bank"):
        train(tmp_path / "run", replace(SMALL, distillation=0.5))


def knowing_bank(faces: FaceSet) -> Bank:
    """One upright view of each face, and teachers that know its label."""
    known = targets(faces, 0.02)
    views = np.tile(UPRIGHT.as_row(), (len(faces), 1, 1))
    logits = {head: np.log(rows + 1e-3)[:, None].astype(np.float16) for head, rows in known.items()}
    return Bank(views, logits, fingerprint(faces.images), ("knowing",))


def test_a_run_may_start_from_what_another_learnt(learnt: Path, tmp_path: Path) -> None:
    settings = replace(SMALL, epochs=1, peak_learning_rate=1e-6, initialization=(str(learnt.parent),))
    train(tmp_path / "after", settings)
    assert (best_score(tmp_path / "after") or 0) > 0.9


def test_settings_survive_their_json_form(tmp_path: Path) -> None:
    train(tmp_path / "run", replace(SMALL, epochs=1, blocks=((8, 2), (8, 1))))
    assert read_settings(tmp_path / "run").blocks == ((8, 2), (8, 1))


def _history(run: Path) -> list[dict[str, float]]:
    with (run / "history.csv").open(newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


_start_epoch = Batches.start_epoch


def _cut_power_in_epoch_2(batches: Batches, epoch: int) -> None:
    if epoch == 2:
        raise PowerCutError
    _start_epoch(batches, epoch)
