from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from models.train import export as export_module
from models.train.augment import vary
from models.train.batches import as_input
from models.train.data import FaceSet
from models.train.export import copy_weights, export, recalibrate, served_model, sign_card
from models.train.faces import crop_face
from models.train.fit import fit
from models.train.network import build_served, build_trained
from models.train.runs import NO_SCORE, SCORE, RunError
from models.train.settings import Settings
from tests.train.data_files import astronaut_face, light_and_dark, serious_face
from tests.train.small_run import SMALL
from webapp.config import Runtime
from webapp.protocol import LABELS
from webapp.vision.classify import load_classifier

FILES: list[tuple[Runtime, str]] = [("litert", "expression.tflite"), ("keras", "expression.keras")]

ANGRY, HAPPY = LABELS.index("angry"), LABELS.index("happy")

pytestmark = pytest.mark.filterwarnings("ignore:Statistics for quantized inputs")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of model files from a small run on easy faces."""
    folder = tmp_path_factory.mktemp("models")
    faces = light_and_dark(64)
    (folder / "README.md").write_text("| `expression.keras` | `0` |\n")
    try:
        fit(faces, faces, SMALL, folder / "run")
    finally:
        keras.mixed_precision.set_dtype_policy("float32")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(export_module, "read_aligned", lambda data, split: faces)
        export(folder / "run", Path("unused"), folder)
    return folder


@pytest.mark.parametrize(("runtime", "name"), FILES)
def test_the_files_hold_what_was_learnt(exported: Path, runtime: Runtime, name: str) -> None:
    faces: FaceSet = light_and_dark(20)
    classifier = load_classifier(runtime, exported / name)
    answers = classifier.probabilities(faces.images).argmax(axis=1)
    assert (answers == faces.labels).mean() > 0.9


def test_a_run_that_saw_the_validation_faces_is_calibrated_as_the_one_before(
    exported: Path, tmp_path: Path
) -> None:
    faces, run = light_and_dark(64), exported / "run"
    final = Path(shutil.copytree(run, tmp_path / "final"))
    (final / "history.csv").write_text(f"epoch,{SCORE}\n1,{NO_SCORE}\n")
    with pytest.raises(RunError, match="--before"):
        served_model(final, faces)
    images = as_input(faces.images)
    expected = served_model(run, faces).predict(images, verbose=0)
    assert served_model(final, faces, before=run).predict(images, verbose=0) == pytest.approx(expected)


def test_the_labels_are_written_in_the_order_of_the_outputs(exported: Path) -> None:
    assert json.loads((exported / "labels.json").read_text()) == list(LABELS)


def test_the_card_is_signed(exported: Path, tmp_path: Path) -> None:
    folder = copy_of(exported, tmp_path)
    before = (folder / "README.md").read_text()
    assert len(before.split("`")[3]) == 64
    (folder / "expression.keras").write_bytes(b"another")
    sign_card(folder)
    assert (folder / "README.md").read_text() != before


def test_teachers_in_the_card_are_signed_too(exported: Path, tmp_path: Path) -> None:
    folder = copy_of(exported, tmp_path)
    (folder / "teachers").mkdir()
    (folder / "teachers" / "deep-1.npz").write_bytes(b"weights")
    (folder / "README.md").write_text("| `teachers/deep-1.npz` | `0` | 14 |\n")
    sign_card(folder)
    digest = hashlib.sha256(b"weights").hexdigest()
    assert (folder / "README.md").read_text() == f"| `teachers/deep-1.npz` | `{digest}` | 14 |\n"


def copy_of(models: Path, folder: Path) -> Path:
    """The model files, to be changed."""
    return Path(shutil.copytree(models, folder / "models", ignore=shutil.ignore_patterns("run")))


def test_the_files_are_recalibrated_without_their_run(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two thirds of what is said to be happy was angry: the files then doubt what looks happy."""
    faces = light_and_dark(60)
    labels = np.where((faces.labels == HAPPY) & (np.arange(60) % 3 > 0), ANGRY, faces.labels)
    monkeypatch.setattr(
        export_module, "read_aligned", lambda data, split: FaceSet(faces.images, labels, faces.votes)
    )
    changed = copy_of(exported, tmp_path)
    recalibrate(Path("unused"), changed)
    for runtime, name in FILES:
        before, after = (
            load_classifier(runtime, folder / name).probabilities(faces.images)[faces.labels == HAPPY, HAPPY]
            for folder in (exported, changed)
        )
        assert after.mean() < before.mean() - 0.2
    assert (changed / "README.md").read_text() != (exported / "README.md").read_text()


def test_the_served_network_answers_like_the_trained_one() -> None:
    trained, served = build_trained(SMALL), build_served(SMALL)
    rng = np.random.default_rng(1)
    for layer in trained.layers:  # also those that begin with ones and zeros alone
        layer.set_weights([weights + rng.uniform(0, 0.03, weights.shape) for weights in layer.get_weights()])
    copy_weights(trained, served)
    faces = as_input(light_and_dark(6).images)
    logits = np.asarray(trained.predict(faces, verbose=0)["label"])
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert np.asarray(served.predict(faces, verbose=0)) == pytest.approx(expected, abs=1e-5)


def test_both_shipped_files_agree_on_real_faces_in_many_conditions() -> None:
    faces = _real_crops(60)
    tflite, full = (
        load_classifier(runtime, export_module.MODELS / name).probabilities(faces) for runtime, name in FILES
    )
    assert (tflite.argmax(axis=1) == full.argmax(axis=1)).mean() >= 0.95
    assert np.abs(tflite - full).mean() < 0.02
    assert np.ptp(full, axis=0).max() > 0.2  # the conditions do make a difference
    unlikely = full < 1 / 256
    assert unlikely.any() and np.abs(np.log(tflite / full)[unlikely]).mean() < 0.5


@pytest.mark.parametrize(
    ("runtime", "name"), [("litert", "expression.tflite"), ("keras", "expression.keras")]
)
def test_the_shipped_files_see_that_the_astronaut_smiles(runtime: Runtime, name: str) -> None:
    crop, _ = crop_face(astronaut_face())
    classifier = load_classifier(runtime, export_module.MODELS / name)
    row = classifier.probabilities(crop[None])[0]
    assert LABELS[int(row.argmax())] == "happy"


def _real_crops(count: int) -> NDArray[np.uint8]:
    """A smiling and a serious face, varied as for training."""
    faces = [crop_face(face)[0] for face in (astronaut_face(), serious_face())]
    return np.stack([vary(faces[seed % 2], Settings(), np.random.default_rng(seed)) for seed in range(count)])
