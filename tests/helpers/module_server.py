"""A real server for the tests of one module.

server = module_server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.helpers.serving import Server


def module_server(**settings: str) -> Callable[..., Any]:
    """A fixture: a server with these settings, for as long as a module's tests run."""

    @pytest.fixture(scope="module")
    def running_server() -> Iterator[Server]:
        with Server(**settings) as running:
            yield running

    return running_server
