from __future__ import annotations

from collections.abc import Iterator

import cv2
import pytest
import skimage.data
from hypothesis import settings

from tests.helpers.markers import markers_of
from tests.helpers.serving import Server

settings.register_profile("mien", deadline=None)  # how long an example takes depends on the machine's load
settings.load_profile("mien")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        markers = markers_of(item)
        for marker in sorted(markers):
            item.add_marker(marker)
        group = "browser" if "browser" in markers else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One real server with two workers for all tests that only talk to it."""
    with Server(MIEN_WORKERS="2") as running:
        yield running


@pytest.fixture(scope="session")
def astronaut_jpeg() -> bytes:
    """NASA's portrait of Eileen Collins, 512x512, one face, smiling; ships with scikit-image."""
    image = cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR)
    return bytes(cv2.imencode(".jpg", image)[1])
