"""Small teachers, trained in PyTorch; left out where it is not installed."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from scipy.special import softmax

from models.train.batches import as_input
from models.train.data import FaceSet
from models.train.runs import RunError
from models.train.teachers.batches import TeacherBatches
from models.train.teachers.paths import MODELS
from models.train.teachers.settings import TeacherSettings
from models.train.views import UPRIGHT, View, render
from tests.train.data_files import light_and_dark, noise

torch = pytest.importorskip("torch", reason="needs requirements-train.txt")

from models.train.answers import logits  # noqa: E402 - these import PyTorch
from models.train.teachers.ensemble import mean_of, mirrored_mean, summary  # noqa: E402
from models.train.teachers.fit import fit  # noqa: E402
from models.train.teachers.make_bank import BankViews, make_bank, mean_log_probabilities  # noqa: E402
from models.train.teachers.network import TeacherNetwork  # noqa: E402
from models.train.teachers.shipped import load_shipped  # noqa: E402
from models.train.teachers.snapshots import Teacher, cycle_of, load_teacher, read_snapshot  # noqa: E402

SMALL = replace(
    TeacherSettings(),
    stem=(4, 2),
    blocks=((8, 2),),
    dropout=0.1,
    cycles=(4, 2),
    warmup_epochs=0.5,
    batch=16,
    ema_momentum=0.5,
    sides=((0.0, 24), (0.5, 32)),
    votes_fraction=0.2,
    mixing_rate=0.3,
)


class PowerCutError(Exception):
    """Stands for whatever stops a training."""


def patterns(count: int) -> FaceSet:
    """Stripes across are angry, stripes down happy: light says nothing to a teacher."""
    faces = light_and_dark(count)
    down = np.tile(np.repeat([40, 200], 6), 4)
    stripes = np.stack(
        [np.tile(down, (48, 1)) if label == 3 else np.tile(down[:, None], 48) for label in faces.labels]
    )
    images = (stripes + noise(count) % 30).astype(np.uint8)
    return FaceSet(images, faces.labels, faces.votes)


def train(run: Path, settings: TeacherSettings = SMALL, snapshots: Path = Path("nowhere")) -> Path:
    fit(patterns(64), patterns(20), settings, run, snapshots)
    return run


def history(run: Path) -> list[dict[str, float]]:
    with (run / "history.csv").open(newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(tmp_path_factory.mktemp("runs") / "small")


def test_the_shipped_network_is_a_teacher_that_answers_as_its_file_does() -> None:
    faces = patterns(4).images
    shipped = keras.saving.load_model(MODELS / "expression.keras", compile=False)
    expected = np.asarray(shipped.predict(as_input(faces), verbose=0))
    given = softmax(logits(load_shipped(MODELS).network, faces)["label"], axis=1)
    assert given == pytest.approx(expected, abs=0.02)


def chance_teacher(name: str, seed: int, side: int = 48) -> Teacher:
    torch.manual_seed(seed)
    return Teacher(name, TeacherNetwork(SMALL).eval(), side)


def test_a_small_teacher_learns_what_is_easy_and_keeps_each_cycles_end(trained: Path) -> None:
    assert sorted(path.name for path in trained.glob("*.npz")) == ["small-1.npz", "small-2.npz"]
    assert history(trained)[-1]["accuracy"] > 0.9
    first, second = (read_snapshot(trained / f"small-{number}.npz")[0] for number in (1, 2))
    assert (first.epochs, second.epochs, first.settings) == (4, 6, SMALL)
    assert second.accuracy == history(trained)[-1]["accuracy"]


def test_a_snapshot_answers_like_the_network_that_was_kept(trained: Path) -> None:
    teacher = load_teacher(trained / "small-2.npz")
    assert teacher.name != load_teacher(trained / "small-1.npz").name
    state = torch.load(trained / "checkpoint.pt", weights_only=True)
    network = TeacherNetwork(SMALL)
    network.load_state_dict(state["average"])
    faces = np.stack([render(image, UPRIGHT, teacher.side) for image in patterns(8).images])
    expected, given = logits(network.eval(), faces), logits(teacher.network, faces)
    assert given["label"] == pytest.approx(expected["label"], abs=0.05)
    assert np.ptp(given["label"]) > 0.5


def test_light_and_contrast_make_no_difference_to_a_teacher() -> None:
    face = patterns(2).images
    teacher = chance_teacher("any", 1)
    first, dimmer = (logits(teacher.network, image)["label"] for image in (face, face // 2 + 60))
    assert dimmer == pytest.approx(first, abs=0.1)


def test_a_stopped_teacher_resumes_with_the_epoch_that_was_lost(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = TeacherBatches.order

    def cut_power_in_epoch_3(batches: TeacherBatches, epoch: int) -> object:
        if epoch == 3:
            raise PowerCutError
        return order(batches, epoch)

    with monkeypatch.context() as patched:
        patched.setattr(TeacherBatches, "order", cut_power_in_epoch_3)
        with pytest.raises(PowerCutError):
            train(tmp_path / "small")
    train(tmp_path / "small")
    assert [row["epoch"] for row in history(tmp_path / "small")] == [1, 2, 3, 4, 5, 6]
    losses = [[row["loss"] for row in history(run)] for run in (trained, tmp_path / "small")]
    assert losses[1] == pytest.approx(losses[0], rel=0.01)


def test_a_teacher_goes_on_from_a_snapshot_of_an_earlier_machine(trained: Path, tmp_path: Path) -> None:
    longer = replace(SMALL, cycles=(4, 2, 1))
    train(tmp_path / "small", longer, snapshots=trained)
    assert [row["epoch"] for row in history(tmp_path / "small")] == [7]
    assert (tmp_path / "small" / "small-3.npz").is_file()
    assert history(tmp_path / "small")[0]["accuracy"] > 0.9


@pytest.mark.parametrize(
    "settings",
    [replace(SMALL, stem=(6, 2)), replace(SMALL, cycles=(5, 3))],
    ids=["another network", "another first cycle"],
)
def test_a_snapshot_of_other_settings_is_refused(
    trained: Path, tmp_path: Path, settings: TeacherSettings
) -> None:
    with pytest.raises(RunError, match="other settings"):
        train(tmp_path / "small", settings, snapshots=trained)


def test_the_newest_snapshot_is_the_one_of_the_last_cycle(tmp_path: Path) -> None:
    paths = [tmp_path / f"deep-{number}.npz" for number in (2, 10, 9)]
    assert max(paths, key=cycle_of).name == "deep-10.npz"


def test_a_run_of_other_settings_is_refused(tmp_path: Path) -> None:
    train(tmp_path / "small", replace(SMALL, cycles=(1,)))
    with pytest.raises(RunError, match="other settings"):
        train(tmp_path / "small", replace(SMALL, cycles=(1,), seed=9))


def test_the_bank_holds_the_mean_answer_for_each_view_of_each_face(tmp_path: Path) -> None:
    faces, teachers = patterns(6), [chance_teacher("first", 1), chance_teacher("second", 2, side=32)]
    bank = make_bank(faces.images, teachers, BankViews(count=2), tmp_path)
    bank.check(faces.images)
    assert bank.views.shape == (6, 2, 5) and bank.teachers == ("first", "second")
    for number in range(2):
        for face in (0, 5):
            view = View.from_row(bank.views[face, number])
            each = [
                np.exp(mean_log_probabilities([teacher], faces.images[face][None], [view])["label"][0])
                for teacher in teachers
            ]
            kept = np.exp(bank.logits["label"][face, number].astype(np.float32))
            assert kept == pytest.approx(np.mean(each, axis=0), abs=0.01)


def test_a_bank_that_was_stopped_asks_only_for_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faces, teachers = patterns(4), [chance_teacher("only", 1)]
    whole = make_bank(faces.images, teachers, BankViews(count=2), tmp_path)
    next(tmp_path.glob("*-1.npz")).unlink()
    asked: list[int] = []

    def counted(network: TeacherNetwork, images: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> object:
        asked.append(len(images))
        return logits(network, images)

    monkeypatch.setattr("models.train.teachers.make_bank.logits", counted)
    again = make_bank(faces.images, teachers, BankViews(count=2), tmp_path)
    assert asked == [4, 4]  # the view and its mirror image
    assert np.array_equal(again.logits["label"], whole.logits["label"])


def test_mirrored_faces_get_the_same_answer() -> None:
    faces, teacher = patterns(6), chance_teacher("any", 3)
    given, mirrored = (
        mirrored_mean(teacher, images)["label"] for images in (faces.images, faces.images[:, :, ::-1])
    )
    assert given == pytest.approx(mirrored, abs=1e-3)
    assert given.sum(axis=1) == pytest.approx(np.ones(6), abs=1e-4)


def test_the_ensemble_is_right_where_its_members_outvote_an_error() -> None:
    faces = patterns(4)
    right, votes = np.eye(7, dtype=np.float32)[faces.labels], np.full((4, 8), 1 / 8, np.float32)
    wrong = np.roll(right, 1, axis=1)
    answers = [{"label": rows, "votes": votes} for rows in (right, right, wrong)]
    assert "accuracy 100.00%" in summary("all", faces, mean_of(answers))
    assert "accuracy 0.00%" in summary("one", faces, answers[2])
