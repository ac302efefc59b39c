from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.vision.classifiers import build_classifier, crops, to_tflite
from webapp.config import PROJECT_ROOT, Runtime
from webapp.errors import ModelFileError
from webapp.protocol import LABELS
from webapp.vision.align import align
from webapp.vision.classify import load_classifier
from webapp.vision.landmarks import Landmarks

RUNTIMES: list[tuple[str, Runtime]] = [("keras", "keras"), ("float", "litert"), ("int8", "litert")]
SHIPPED: list[tuple[str, Runtime]] = [("expression.tflite", "litert"), ("expression.keras", "keras")]


@pytest.mark.parametrize(("form", "runtime"), RUNTIMES)
def test_each_face_gets_a_row_of_probabilities(
    small_models: dict[str, Path], form: str, runtime: Runtime
) -> None:
    rows = load_classifier(runtime, small_models[form]).probabilities(crops(5))
    assert rows.shape == (5, len(LABELS))
    assert rows.dtype == np.float32
    assert rows.min() >= 0
    assert rows.sum(axis=1) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(("form", "tolerance"), [("float", 1e-4), ("int8", 0.05)])
def test_the_runtimes_agree_with_keras(small_models: dict[str, Path], form: str, tolerance: float) -> None:
    expected = load_classifier("keras", small_models["keras"]).probabilities(crops(8))
    found = load_classifier("litert", small_models[form]).probabilities(crops(8))
    assert np.ptp(expected, axis=0).max() > 0.05  # the images do make a difference
    assert np.abs(found - expected).max() < tolerance


@pytest.mark.parametrize(("form", "runtime"), RUNTIMES)
def test_a_face_is_judged_alike_alone_and_among_others(
    small_models: dict[str, Path], form: str, runtime: Runtime
) -> None:
    classifier = load_classifier(runtime, small_models[form])
    together = classifier.probabilities(crops(6))
    alone = np.concatenate([classifier.probabilities(crop[None]) for crop in crops(6)])
    assert np.abs(together - alone).max() < 1e-5


@pytest.mark.parametrize(("form", "runtime"), RUNTIMES)
def test_no_faces_give_no_rows(small_models: dict[str, Path], form: str, runtime: Runtime) -> None:
    none = np.empty((0, 48, 48), np.uint8)
    assert load_classifier(runtime, small_models[form]).probabilities(none).shape == (0, len(LABELS))


@pytest.mark.parametrize("runtime", ["litert", "keras"])
def test_a_missing_file_is_named(runtime: Runtime, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="no model at .*absent"):
        load_classifier(runtime, tmp_path / "absent.tflite")


@pytest.mark.parametrize(("runtime", "name"), [("litert", "model.tflite"), ("keras", "model.keras")])
def test_a_damaged_file_is_named(runtime: Runtime, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"this is no model" * 100)
    with pytest.raises(ModelFileError, match="cannot be read"):
        load_classifier(runtime, tmp_path / name)


@pytest.mark.parametrize(("side", "outputs"), [(64, 7), (48, 8)])
def test_a_model_of_another_shape_is_refused(side: int, outputs: int, tmp_path: Path) -> None:
    model = build_classifier(side, outputs)
    (tmp_path / "other.tflite").write_bytes(to_tflite(model, quantised=False))
    model.save(tmp_path / "other.keras")
    for runtime, name in (("litert", "other.tflite"), ("keras", "other.keras")):
        with pytest.raises(ModelFileError, match=r"expected \(48, 48, 1\) to \(7,\)"):
            load_classifier(runtime, tmp_path / name)  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "runtime"), SHIPPED)
def test_the_shipped_models_see_the_astronaut_smile(
    portrait: np.ndarray, portrait_landmarks: Landmarks, name: str, runtime: Runtime
) -> None:
    crop = align(portrait, portrait_landmarks.points)
    row = load_classifier(runtime, PROJECT_ROOT / "models" / name).probabilities(crop[None])[0]
    assert LABELS[int(row.argmax())] == "happy"
    assert row.max() > 0.6
