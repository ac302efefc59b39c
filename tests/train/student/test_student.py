"""The student, trained in PyTorch; left out where that is not installed."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from models.train.bank import Bank, BankError, fingerprint
from models.train.batches import Batches, as_input
from models.train.data import UNKNOWN, FaceSet
from models.train.network import build_trained
from models.train.runs import BEST_WEIGHTS, RunError, best_score, read_settings
from models.train.settings import Settings
from models.train.targets import Targets, targets
from models.train.views import UPRIGHT
from tests.train.data_files import light_and_dark, noise
from tests.train.small_run import SMALL

torch = pytest.importorskip("torch", reason="needs requirements-train.txt")

from models.train.student.fit import fit  # noqa: E402 - these import PyTorch
from models.train.student.network import StudentNetwork  # noqa: E402
from models.train.student.weights import from_keras, to_keras  # noqa: E402

STUDENT = replace(SMALL, epochs=6, distillation=0.9)
SHAPES = [
    replace(SMALL, stem=(6, 1), blocks=((8, 2), (8, 1), (12, 2), (16, 2))),
    replace(SMALL, stem=(4, 2), blocks=((8, 1), (16, 2))),
]


class PowerCutError(Exception):
    """Stands for whatever stops a training."""


def knowing_bank(faces: FaceSet) -> Bank:
    """One upright view of each face, and teachers that know its label."""
    known = targets(faces, 0.02)
    views = np.tile(UPRIGHT.as_row(), (len(faces), 1, 1))
    logits = {head: np.log(rows + 1e-3)[:, None].astype(np.float16) for head, rows in known.items()}
    return Bank(views, logits, fingerprint(faces.images), ("knowing",))


def train(run: Path, settings: Settings = STUDENT, faces: FaceSet | None = None) -> Path:
    learnt = light_and_dark(64) if faces is None else faces
    return fit(learnt, light_and_dark(20), settings, run, knowing_bank(light_and_dark(64)))


def history(run: Path) -> list[dict[str, str]]:
    with (run / "history.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def answers_of_keras(model: keras.Model, images: NDArray[np.uint8]) -> Targets:
    return {head: np.asarray(rows) for head, rows in model.predict(as_input(images), verbose=0).items()}


def answers_of_torch(network: StudentNetwork, images: NDArray[np.uint8]) -> Targets:
    with torch.inference_mode():
        label, votes = network.eval()(torch.from_numpy(images[:, None].astype(np.float32)))
    return {"label": label.numpy(), "votes": votes.numpy()}


def unlike_at_start(network: StudentNetwork) -> StudentNetwork:
    """Also what begins with ones and zeros alone."""
    with torch.no_grad():
        for number, weights in enumerate(network.state_dict().values()):
            if weights.is_floating_point():
                chance = np.random.default_rng(number).uniform(0, 0.05, weights.shape)
                weights += torch.from_numpy(chance).float()
    return network


@pytest.mark.parametrize("settings", SHAPES, ids=["stem 1", "stem 2"])
def test_the_networks_in_pytorch_and_keras_answer_alike(settings: Settings) -> None:
    network, twin = unlike_at_start(StudentNetwork(settings)), build_trained(settings)
    to_keras(network, twin)
    expected = answers_of_torch(network, noise(5))
    for head, rows in answers_of_keras(twin, noise(5)).items():
        assert np.ptp(rows) > 0.01
        assert rows == pytest.approx(expected[head], abs=1e-4)
    other = StudentNetwork(settings)
    from_keras(other, twin)
    for head, rows in answers_of_torch(other, noise(5)).items():
        assert rows == pytest.approx(expected[head], abs=1e-5)


def test_a_student_learns_what_is_easy_and_leaves_weights_for_keras(tmp_path: Path) -> None:
    weights = train(tmp_path / "run")
    assert weights == tmp_path / "run" / BEST_WEIGHTS
    model = build_trained(read_settings(tmp_path / "run"))
    model.load_weights(weights)
    faces = light_and_dark(20)
    right = (answers_of_keras(model, faces.images)["label"].argmax(axis=1) == faces.labels).mean()
    assert right > 0.9
    assert right == pytest.approx(best_score(tmp_path / "run"), abs=0.051)  # bfloat16


def test_a_student_learns_from_the_bank_where_labels_are_missing(tmp_path: Path) -> None:
    faces = light_and_dark(64)
    unlabelled = FaceSet(faces.images, np.full(64, UNKNOWN), np.zeros((64, 10), np.float32))
    train(tmp_path / "run", replace(STUDENT, seed=2), unlabelled)
    assert (best_score(tmp_path / "run") or 0) > 0.9


def test_small_faces_come_first_where_the_settings_say_so(tmp_path: Path) -> None:
    train(tmp_path / "run", replace(STUDENT, epochs=8, sides=((0.0, 32), (0.5, 48))))
    assert (best_score(tmp_path / "run") or 0) > 0.9


def test_a_stopped_student_resumes_with_the_epoch_that_was_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(tmp_path / "whole")
    start_epoch = Batches.start_epoch

    def cut_power_in_epoch_4(batches: Batches, epoch: int) -> None:
        if epoch == 4:
            raise PowerCutError
        start_epoch(batches, epoch)

    with monkeypatch.context() as patched:
        patched.setattr(Batches, "start_epoch", cut_power_in_epoch_4)
        with pytest.raises(PowerCutError):
            train(tmp_path / "stopped")
    train(tmp_path / "stopped")
    assert [row["epoch"] for row in history(tmp_path / "stopped")] == ["1", "2", "3", "4", "5", "6"]
    losses = [[float(row["loss"]) for row in history(tmp_path / run)] for run in ("whole", "stopped")]
    assert losses[1] == pytest.approx(losses[0], rel=0.01)


def test_a_student_starts_from_what_an_earlier_one_learnt(tmp_path: Path) -> None:
    train(tmp_path / "before")
    settings = replace(STUDENT, epochs=1, peak_learning_rate=1e-6, initialization=(str(tmp_path / "before"),))
    train(tmp_path / "after", settings)
    assert (best_score(tmp_path / "after") or 0) > 0.9


def test_a_final_run_keeps_its_last_epoch_and_has_no_score(tmp_path: Path) -> None:
    faces = light_and_dark(64)
    weights = fit(faces, None, replace(STUDENT, epochs=2), tmp_path / "run", knowing_bank(faces))
    assert weights.is_file()
    assert len(history(tmp_path / "run")) == 2
    assert best_score(tmp_path / "run") is None


def test_a_run_of_other_settings_and_a_bank_of_other_faces_are_refused(tmp_path: Path) -> None:
    train(tmp_path / "run", replace(STUDENT, epochs=1))
    with pytest.raises(RunError, match="other settings"):
        train(tmp_path / "run", replace(STUDENT, epochs=1, seed=9))
    with pytest.raises(BankError, match="other faces"):
        train(tmp_path / "other", faces=light_and_dark(32))


def test_a_run_does_not_go_on_with_other_teachers(tmp_path: Path) -> None:
    faces, settings = light_and_dark(64), replace(STUDENT, epochs=1)
    bank = knowing_bank(faces)
    fit(faces, None, settings, tmp_path / "run", bank)
    with pytest.raises(RunError, match="other teachers"):
        fit(faces, None, settings, tmp_path / "run", replace(bank, teachers=("another",)))
