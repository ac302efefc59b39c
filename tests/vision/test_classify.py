from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.train.data_files import serious_face
from tests.vision.classifiers import build_classifier, crops, to_tflite
from webapp.config import PROJECT_ROOT, Runtime
from webapp.errors import ModelFileError
from webapp.protocol import LABELS
from webapp.vision.align import align
from webapp.vision.classify import Classifier, load_classifier, probabilities_with_mirrored, undecided
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


class Recorder:
    """A classifier that keeps what it was asked."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        self.asked: list[NDArray[np.uint8]] = []

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.asked.append(crops)
        return self._classifier.probabilities(crops)


def faces_and_rows(portrait: NDArray[np.uint8], landmarks: Landmarks) -> tuple[Recorder, NDArray[np.uint8]]:
    """The shipped model, and faces that blend from the astronaut's smile into a serious face."""
    smile = align(portrait, landmarks.points).astype(np.float32)
    serious = serious_face().astype(np.float32)
    blended = [smile + part * (serious - smile) for part in np.linspace(0, 1, 60)]
    classifier = load_classifier("litert", PROJECT_ROOT / "models" / "expression.tflite")
    return Recorder(classifier), np.stack(blended).astype(np.uint8)


def test_undecided_crops_are_averaged_with_their_mirror_images_and_clear_ones_are_not(
    portrait: NDArray[np.uint8], portrait_landmarks: Landmarks
) -> None:
    classifier, faces = faces_and_rows(portrait, portrait_landmarks)
    alone = classifier.probabilities(faces)
    mirrored = classifier.probabilities(faces[:, :, ::-1])
    close = undecided(alone)
    assert 0 < close.sum() < len(faces)
    rows = probabilities_with_mirrored(classifier, faces)
    assert np.array_equal(rows[~close], alone[~close])
    assert np.array_equal(rows[close], (alone + mirrored)[close] / 2)
    assert np.abs(rows - alone)[close].max() > 0.01
    assert np.array_equal(classifier.asked[-1], faces[close, :, ::-1])  # each in one call, and no other
    assert rows.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_where_a_face_and_its_mirror_image_are_both_undecided_they_get_the_same_probabilities(
    portrait: NDArray[np.uint8], portrait_landmarks: Landmarks
) -> None:
    classifier, faces = faces_and_rows(portrait, portrait_landmarks)
    other = faces[:, :, ::-1]
    both = undecided(classifier.probabilities(faces)) & undecided(classifier.probabilities(other))
    assert both.any()
    rows, again = (probabilities_with_mirrored(classifier, faces) for _ in range(2))
    assert np.array_equal(rows, again)
    assert np.array_equal(rows[both], probabilities_with_mirrored(classifier, other)[both])


def test_undecided_is_what_has_two_expressions_within_a_fifth() -> None:
    rows = np.array(
        [[0.5, 0.31, 0.19, 0, 0, 0, 0], [0.5, 0.2, 0.25, 0.05, 0, 0, 0], [0.3, 0, 0, 0, 0, 0.7, 0.1]]
    )
    assert undecided(rows.astype(np.float32)).tolist() == [True, False, False]


def test_no_crops_need_no_mirror_images() -> None:
    classifier = load_classifier("litert", PROJECT_ROOT / "models" / "expression.tflite")
    assert probabilities_with_mirrored(classifier, np.empty((0, 48, 48), np.uint8)).shape == (0, len(LABELS))
