from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from models.train import export as export_module
from models.train.augment import vary
from models.train.batches import as_input
from models.train.data import FaceSet
from models.train.export import copy_weights, export, sign_card
from models.train.faces import crop_face
from models.train.fit import fit
from models.train.network import build_served, build_trained
from models.train.settings import Settings
from tests.train.data_files import astronaut_face, light_and_dark, serious_face
from tests.train.small_run import SMALL
from webapp.config import Runtime
from webapp.protocol import LABELS
from webapp.vision.classify import load_classifier

FILES: list[tuple[Runtime, str]] = [("litert", "expression.tflite"), ("keras", "expression.keras")]

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


def test_the_labels_are_written_in_the_order_of_the_outputs(exported: Path) -> None:
    assert json.loads((exported / "labels.json").read_text()) == list(LABELS)


def test_the_card_is_signed(exported: Path) -> None:
    before = (exported / "README.md").read_text()
    assert len(before.split("`")[3]) == 64
    (exported / "expression.keras").write_bytes(b"another")
    sign_card(exported)
    assert (exported / "README.md").read_text() != before


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
