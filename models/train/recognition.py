"""A face recognition network to initialize from, without the layers that tell people apart.

It is dlib's, a residual network for faces of 150 pixels in color (Davis King, CC0), whose weights the npm
package @vladmandic/face-api carries. Its first blocks have 32, 64 and 128 channels; those after them are left
out. `models.train.student.initialization` gives the weights to a network of this project.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

FOLDER = Path("build/recognition/node_modules/@vladmandic/face-api/model")
"""Where `make recognition` puts the package's model files."""

MANIFEST, WEIGHTS = "face_recognition_model-weights_manifest.json", "face_recognition_model.bin"
SHA256 = {
    MANIFEST: "cbaffa501b0b9275a12b63357a6843e7e30c054e1c9151e1a5f879b26e32986b",
    WEIGHTS: "b413e420d6840b2775fba32008db6f3cddb07d485967fb42cfcf379c16a8c589",
}

STEM = "conv32_down"
BLOCKS = (
    *("conv32_1", "conv32_2", "conv32_3"),
    *("conv64_down", "conv64_1", "conv64_2", "conv64_3"),
    *("conv128_down", "conv128_1", "conv128_2"),
)
"""The blocks that are of use here; `down` halves the side and doubles the channels."""

MEAN, SPREAD = 117.0, 256.0
"""What it takes from a pixel, about, and what it divides by."""

ENLARGING = ((0.25, 0.75), (0.75, 0.25))
"""The weights of two neighbors in an even and in an odd pixel of the image at twice the side, bilinear."""


class RecognitionError(Exception):
    """The files of the network are missing or not the expected ones."""


@dataclass(frozen=True, slots=True)
class Convolution:
    """`kernel` (out, in, height, width), then a scale and a shift, (out,) each."""

    kernel: Array
    scale: Array
    shift: Array


def read_recognition(folder: Path = FOLDER) -> dict[str, Convolution]:
    """The convolutions of STEM and, as NAME/1 and NAME/2, of BLOCKS, for grey faces of half the side.

    Raises:
        RecognitionError: a file is missing or not the expected one.
    """
    arrays = _arrays(json.loads(_checked(folder, MANIFEST)), _checked(folder, WEIGHTS))
    found = {
        f"{block}/{number}": _convolution(arrays, f"{block}/conv{number}")
        for block in BLOCKS
        for number in (1, 2)
    }
    return {STEM: _for_grey_of_half_the_side(_convolution(arrays, STEM)), **found}


def _checked(folder: Path, name: str) -> bytes:
    path = folder / name
    if not path.is_file():
        raise RecognitionError(f"{path} is missing; `make recognition` installs it.")
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != SHA256[name]:
        raise RecognitionError(
            f"{path} is not the expected file; delete its package and run `make recognition`."
        )
    return content


def _arrays(manifest: list[dict[str, Any]], content: bytes) -> dict[str, Array]:
    """Arrays by name: one after another, as float32 or as bytes with a scale and a least value."""
    found, start = {}, 0
    for entry in manifest[0]["weights"]:
        levels = entry.get("quantization")
        kind = np.dtype(np.uint8 if levels else np.float32)
        count = math.prod(entry["shape"])
        array = np.frombuffer(content, kind, count, start).astype(np.float32)
        if levels:
            array = array * np.float32(levels["scale"]) + np.float32(levels["min"])
        found[entry["name"]] = array.reshape(entry["shape"])
        start += count * kind.itemsize
    return found


def _convolution(arrays: dict[str, Array], name: str) -> Convolution:
    kernel = arrays[f"{name}/conv/filters"].transpose(3, 2, 0, 1)
    scale = arrays[f"{name}/scale/weights"]
    return Convolution(kernel, scale, arrays[f"{name}/scale/biases"] + scale * arrays[f"{name}/conv/bias"])


def _for_grey_of_half_the_side(stem: Convolution) -> Convolution:
    """A stem of 7x7 at every second pixel of a color image, as one of 5x5 for a grey face of half the side.

    That is the same to the last digit but at the edges, where the smaller face would be enlarged by bilinear
    interpolation.
    """
    enlarging = np.zeros((7, 5), np.float32)  # of which pixels each of seven is made
    for pixel in range(7):
        first = (pixel + 1) // 2
        enlarging[pixel, first : first + 2] = ENLARGING[pixel % 2]
    grey = stem.kernel.sum(axis=1, keepdims=True)
    kernel = np.einsum("ocij,ik,jl->ockl", grey, enlarging, enlarging)
    return Convolution(kernel.astype(np.float32), stem.scale, stem.shift)
