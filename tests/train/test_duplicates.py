from __future__ import annotations

import cv2
import numpy as np

from models.train.duplicates import near_duplicates
from tests.train.data_files import astronaut_face, noise


def test_copies_are_found_mirrored_darker_and_compressed_and_others_are_not() -> None:
    face = astronaut_face()
    encoded = cv2.imencode(".jpg", face, (cv2.IMWRITE_JPEG_QUALITY, 60))[1]
    compressed = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE))
    shifted = np.roll(face, 12, axis=1)  # another image, though of the same person
    images = np.stack([face, face[:, ::-1], face // 2 + 20, compressed, shifted, *noise(3)]).astype(np.uint8)
    others = np.concatenate([noise(5, seed=2), face[None]])
    assert near_duplicates(images, others).tolist() == [True] * 4 + [False] * 4
