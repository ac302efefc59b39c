"""Tests are marked by what they use, so that `make check` runs none that starts a server."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.markers import markers_of, markers_of_functions
from tests.helpers.postgres import database_setting
from tests.helpers.serving import Server

ROOT = Path(__file__).resolve().parent.parent


def starts_a_server() -> None:
    with Server():
        pass


def starts_one_by_a_helper() -> None:
    starts_a_server()


def starts_one_in_a_function_of_its_own() -> None:
    def start() -> Server:
        return Server()

    start()


@contextmanager
def starts_one_as_a_context() -> Iterator[None]:
    with Server():
        yield


def uses_such_a_context() -> None:
    with starts_one_as_a_context():
        pass


def only_names_one(server: Server) -> str:
    return server.url


class SpecialServer(Server):
    """Another kind of server."""


def starts_another_kind() -> None:
    with SpecialServer():
        pass


def uses_postgres() -> None:
    with database_setting("PostgreSQL"):
        pass


def trains(network: Any) -> None:
    network.fit()


@pytest.mark.parametrize(
    ("function", "markers"),
    [
        (starts_a_server, {"server"}),
        (starts_one_by_a_helper, {"server"}),
        (starts_one_in_a_function_of_its_own, {"server"}),
        (starts_one_as_a_context, {"server"}),
        (uses_such_a_context, {"server"}),
        (starts_another_kind, {"server"}),
        (uses_postgres, {"postgres"}),
        (trains, {"slow"}),
        (only_names_one, set()),
    ],
)
def test_a_test_is_marked_by_the_helpers_that_it_reaches(
    function: Callable[..., object], markers: set[str]
) -> None:
    assert markers_of_functions([function]) == markers


@pytest.fixture
def own_server() -> Iterator[Server]:
    with Server() as running:
        yield running


def test_a_test_is_marked_by_its_fixtures(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = request.node
    assert markers_of(item) == set()
    fixture = request.session._fixturemanager.getfixturedefs("own_server", item)
    monkeypatch.setitem(item._fixtureinfo.name2fixturedefs, "own_server", fixture)
    assert markers_of(item) == {"server"}


@pytest.mark.parametrize("name", ["own_server"])
def test_a_test_is_marked_by_a_fixture_that_a_parameter_names(
    name: str, request: pytest.FixtureRequest
) -> None:
    assert markers_of(request.node) == {"server"}


def test_check_leaves_out_every_marker() -> None:
    options = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    markers = {marker.partition(":")[0] for marker in options["markers"]}
    left_out = re.search(r'-m "not \((.+)\)"', (ROOT / "Makefile").read_text())
    assert left_out and set(left_out[1].split(" or ")) == markers
