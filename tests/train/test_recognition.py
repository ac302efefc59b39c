from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from models.train import recognition
from models.train.recognition import BLOCKS, STEM, RecognitionError, read_recognition
from tests.train.data_files import astronaut_face

Array = NDArray[np.float32]


def chance(*shape: int, seed: int = 1) -> Array:
    return np.random.default_rng(seed).normal(0, 1, shape).astype(np.float32)


def layer(name: str, side: int, width_in: int, width: int) -> dict[str, Array]:
    return {
        f"{name}/conv/filters": chance(side, side, width_in, width),
        f"{name}/conv/bias": chance(width, seed=2),
        f"{name}/scale/weights": chance(width, seed=3),
        f"{name}/scale/biases": chance(width, seed=4),
    }


def write_package(folder: Path, arrays: dict[str, Array], in_bytes: str = "") -> None:
    """A package's files; the array of this name in one byte a value."""
    entries: list[dict[str, Any]] = []
    content = b""
    for name, array in arrays.items():
        entry: dict[str, Any] = {"name": name, "shape": array.shape, "dtype": "float32"}
        if name == in_bytes:
            entry["quantization"] = {
                "dtype": "uint8",
                "scale": float(np.ptp(array)) / 255,
                "min": float(array.min()),
            }
            levels = np.rint((array - array.min()) / entry["quantization"]["scale"])
            content += levels.astype(np.uint8).tobytes()
        else:
            content += array.tobytes()
        entries.append(entry)
    (folder / recognition.MANIFEST).write_text(json.dumps([{"weights": entries}]))
    (folder / recognition.WEIGHTS).write_bytes(content)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Array]:
    """A package in `tmp_path` with a network of two channels, and its arrays."""
    arrays = layer(STEM, 7, 3, 2)
    for block in BLOCKS:
        arrays |= layer(f"{block}/conv1", 3, 2, 2) | layer(f"{block}/conv2", 3, 2, 2)
    write_package(tmp_path, arrays, in_bytes=f"{BLOCKS[1]}/conv2/conv/filters")
    digests = {
        name: hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in recognition.SHA256
    }
    monkeypatch.setattr(recognition, "SHA256", digests)
    return arrays


def test_every_convolution_is_read_also_from_bytes(package: dict[str, Array], tmp_path: Path) -> None:
    found = read_recognition(tmp_path)
    assert set(found) == {STEM, *(f"{block}/{number}" for block in BLOCKS for number in (1, 2))}
    for number, tolerance in ((1, 0), (2, float(np.ptp(package[f"{BLOCKS[1]}/conv2/conv/filters"])) / 500)):
        name = f"{BLOCKS[1]}/conv{number}"
        kernel = found[f"{BLOCKS[1]}/{number}"].kernel
        assert kernel == pytest.approx(package[f"{name}/conv/filters"].transpose(3, 2, 0, 1), abs=tolerance)
    last = found[f"{BLOCKS[-1]}/2"]
    bias, scale = package[f"{BLOCKS[-1]}/conv2/conv/bias"], package[f"{BLOCKS[-1]}/conv2/scale/weights"]
    assert last.scale == pytest.approx(scale)
    assert last.shift == pytest.approx(bias * scale + package[f"{BLOCKS[-1]}/conv2/scale/biases"], abs=1e-6)


def test_the_stem_answers_for_a_face_as_the_large_one_for_the_same_face_enlarged_in_color(
    package: dict[str, Array], tmp_path: Path
) -> None:
    face = astronaut_face().astype(np.float32)
    given = correlated(face[None], read_recognition(tmp_path)[STEM].kernel)
    enlarged = cv2.resize(face, (96, 96), interpolation=cv2.INTER_LINEAR)
    kernel = package[f"{STEM}/conv/filters"].transpose(3, 2, 0, 1)
    expected = correlated(np.stack(3 * [enlarged]), kernel)[:, ::2, ::2]
    assert given == pytest.approx(expected[:, 1:, 1:], rel=1e-3, abs=0.05)
    assert np.ptp(given) > 100


def correlated(image: Array, kernel: Array) -> Array:
    """(in, height, width) under (out, in, side, side), only where the kernel is within the image."""
    windows = sliding_window_view(image, kernel.shape[2:], axis=(1, 2))
    return np.asarray(np.einsum("chwij,ocij->ohw", windows, kernel), np.float32)


def test_a_missing_package_is_told_with_what_installs_it(tmp_path: Path) -> None:
    with pytest.raises(RecognitionError, match="make recognition"):
        read_recognition(tmp_path)


def test_other_weights_than_the_expected_are_refused(package: dict[str, Array], tmp_path: Path) -> None:
    assert package
    file = tmp_path / recognition.WEIGHTS
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    with pytest.raises(RecognitionError, match="not the expected file"):
        read_recognition(tmp_path)
