from __future__ import annotations

import os
from collections.abc import Iterator

import cv2
import pytest
import skimage.data
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.helpers.markers import markers_of
from tests.helpers.serving import Server

settings.register_profile("mien", deadline=None)  # how long an example takes depends on the machine's load
settings.load_profile("mien")

# By default a video takes only what nobody else wants of the processor, and other tests want all of it.
os.environ.setdefault("MIEN_JOB_NICENESS", "0")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for marker in sorted(markers_of(item)):
            item.add_marker(marker)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    return TwoBrowsersAndTheRest(config, log)


BROWSER_SCOPES = ("tests/browser/rooms/", "tests/browser/")
"""Halves that take about as long, each with a Chromium; a test belongs to the first that has it."""


class TwoBrowsersAndTheRest(LoadScopeScheduling):  # type: ignore[misc]
    """Keeps each half of the tests in a browser in one process, and each other file in one."""

    def _split_scope(self, nodeid: str) -> str:
        halves = (scope for scope in BROWSER_SCOPES if nodeid.startswith(scope))
        return next(halves, nodeid.partition("::")[0])


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
