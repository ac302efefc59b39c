"""A page in a real browser on two nodes behind nginx, as `make cluster` starts them."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import live
from tests.browser.room_pages import join
from tests.helpers.cluster import RunningCluster
from tests.helpers.room_client import TOKEN, make_room
from tests.helpers.waiting import wait_until

TIMEOUT_MS = 120_000
"""Generous: it only decides how soon a failure is known."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[RunningCluster]:
    with RunningCluster(MIEN_WORKERS="2", MIEN_HOST_TOKEN=TOKEN) as running:
        yield running


def test_a_participants_page_moves_to_the_other_node_by_itself(
    cluster: RunningCluster, new_page: Callable[..., Page], still_browser: Browser
) -> None:
    code = make_room(cluster)
    page = new_page(still_browser)
    page.set_default_timeout(TIMEOUT_MS)
    join(page, f"{cluster.url}/r/{code}", "Ada", information="What this is.")
    page.wait_for_selector("#connection:has-text('Connected')")
    wait_until(lambda: sorted(cluster.participants()) == [0, 1], TIMEOUT_MS / 1000)
    before = cluster.participants().index(1)
    os.kill(cluster.state()["nodes"][before]["pid"], signal.SIGKILL)
    wait_until(lambda: cluster.participants()[1 - before] == 1, TIMEOUT_MS / 1000)
    page.wait_for_selector("#connection:has-text('Connected')")
    assert page.inner_text("#my-alias").endswith("Ada")


def test_the_live_page_shows_expressions(
    cluster: RunningCluster, new_page: Callable[..., Page], still_browser: Browser
) -> None:
    page = new_page(still_browser)
    page.set_default_timeout(TIMEOUT_MS)
    page.goto(cluster.url)
    live.start(page)
    page.wait_for_selector("#connection:has-text('Connected')")
    live.wait_for_label(page, "Happy")
