from __future__ import annotations

from collections.abc import Iterator

import cv2
import pytest
import skimage.data

from tests.helpers.serving import Server


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One real server with two workers for all tests that only talk to it."""
    with Server(MIEN_WORKERS="2") as running:
        yield running


@pytest.fixture(scope="session")
def astronaut_jpeg() -> bytes:
    """NASA's portrait of Eileen Collins, 512x512, one face, smiling; ships with scikit-image."""
    picture = cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR)
    return bytes(cv2.imencode(".jpg", picture)[1])
