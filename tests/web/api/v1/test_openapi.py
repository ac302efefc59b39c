"""The description of the API: complete, valid, and made from what the server really has."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from flask import Flask

from tests.helpers.endpoints import PUBLIC
from webapp.accounts.scopes import SCOPES
from webapp.app import create_app
from webapp.config import Settings
from webapp.web.api.v1.openapi import SCOPE_TEXTS
from webapp.web.api.v1.schemas.problems import CODES
from webapp.web.problems import HTTP_PROBLEMS, STATUS

SOCKET_CODES = {"consent_required", "room_full", "cannot_resume"}
"""Those that only participants get, over Socket.IO."""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return create_app(Settings(data_dir=tmp_path_factory.mktemp("data")))


@pytest.fixture(scope="module")
def document(app: Flask) -> dict[str, Any]:
    found: dict[str, Any] = app.test_client().get("/api/v1/openapi.json").get_json()
    return found


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method.upper(), path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_every_route_under_api_is_described_and_nothing_else(app: Flask, document: dict[str, Any]) -> None:
    routes = {
        (method, re.sub(r"<(?:[^:<>]+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert len(routes) >= 14
    assert operations(document).keys() == routes


def test_every_route_under_api_names_the_scopes_that_it_checks(app: Flask, document: dict[str, Any]) -> None:
    for operation in operations(document).values():
        for alternative in operation.get("security", []):
            assert set(alternative.get("key", [])) <= set(SCOPES)
    unguarded = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/") and not hasattr(app.view_functions[rule.endpoint], "scopes")
    }
    assert unguarded <= PUBLIC


def test_it_is_openapi_3_1_whose_references_all_lead_somewhere(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    named = document["components"]["schemas"]
    referred = re.findall(r'"\$ref": "#/components/schemas/([^"]+)"', json.dumps(document))
    assert set(referred) <= named.keys()
    for schema in named.values():
        jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})
    ids = [operation["operationId"] for operation in operations(document).values()]
    assert len(ids) == len(set(ids))


def test_every_problem_is_a_problem_detail(document: dict[str, Any]) -> None:
    for operation in operations(document).values():
        problems = {status: one for status, one in operation["responses"].items() if status >= "400"}
        assert {"400", "421", "500"} <= problems.keys()
        for response in problems.values():
            assert response["content"] == {
                "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
            }


def test_the_documentation_explains_every_scope_and_every_code(app: Flask) -> None:
    codes = {*STATUS, *(code for code, _ in HTTP_PROBLEMS.values())} - SOCKET_CODES
    assert codes <= CODES.keys()
    assert SCOPE_TEXTS.keys() == set(SCOPES)
    page = app.test_client().get("/api/v1/docs").text
    for code in CODES:
        assert f'id="problem-{code}"' in page


def test_the_documentation_shows_every_operation_with_a_command(app: Flask, document: dict[str, Any]) -> None:
    page = app.test_client().get("/api/v1/docs").text
    for operation in operations(document).values():
        assert f'id="{operation["operationId"]}"' in page
    assert page.count("<code>curl") == len(operations(document))
    assert "settings.max_participants" in page.replace("<wbr>", ""), "references are resolved"
    assert "faces[].pose.yaw" in page.replace("<wbr>", "")
    assert "#/components" not in page


def test_the_documentation_loads_nothing_and_runs_nothing(app: Flask) -> None:
    page = app.test_client().get("/api/v1/docs").text
    assert "<script" not in page and " style=" not in page
    assert all(link.startswith("/") for link in re.findall(r'<link[^>]*href="([^"]+)"', page))


@pytest.mark.parametrize(
    "setting", ["max_participants", "language", "video", "marker_labels", "show_results"]
)
def test_defaults_of_a_new_room_are_those_that_it_gets(document: dict[str, Any], setting: str) -> None:
    from webapp.rooms.settings import RoomSettings

    described = document["components"]["schemas"]["NewRoomSettings"]["properties"][setting]["default"]
    assert described == RoomSettings().to_wire()[setting]


def test_a_folder_of_the_first_start_is_enough(tmp_path: Path) -> None:
    """The description needs no database and no started part."""
    fresh = create_app(Settings(data_dir=tmp_path)).test_client()
    assert fresh.get("/api/v1/openapi.json").status_code == fresh.get("/api/v1/docs").status_code == 200
