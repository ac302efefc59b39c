from __future__ import annotations

from pathlib import Path

import pytest

from tests.vision.classifiers import build_classifier, to_tflite
from tests.vision.images import ImageArray, astronaut
from webapp.vision.detect import FaceDetector
from webapp.vision.landmarks import FaceLandmarker, Landmarks


@pytest.fixture(scope="session")
def detector() -> FaceDetector:
    return FaceDetector()


@pytest.fixture(scope="session")
def landmarker() -> FaceLandmarker:
    return FaceLandmarker()


@pytest.fixture(scope="session")
def portrait() -> ImageArray:
    return astronaut()


@pytest.fixture(scope="session")
def portrait_landmarks(detector: FaceDetector, landmarker: FaceLandmarker, portrait: ImageArray) -> Landmarks:
    return landmarker.landmarks(portrait, detector.detect(portrait)[0])


@pytest.fixture(scope="session")
def small_models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One small CNN in three forms: "keras", "float" and "int8"."""
    folder = tmp_path_factory.mktemp("models")
    model = build_classifier()
    paths = {name: folder / name for name in ("model.keras", "float.tflite", "int8.tflite")}
    model.save(paths["model.keras"])
    paths["float.tflite"].write_bytes(to_tflite(model, quantised=False))
    paths["int8.tflite"].write_bytes(to_tflite(model, quantised=True))
    return {name.split(".")[0].replace("model", "keras"): path for name, path in paths.items()}
