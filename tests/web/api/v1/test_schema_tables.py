"""Schemas as the documentation shows them."""

from __future__ import annotations

from typing import Any

import pytest

from webapp.web.api.v1.schema_tables import Schemas

NAMED: dict[str, Any] = {
    "Point": {"type": "object", "properties": {"x": {"type": "number"}}, "required": ["x"]},
    "Shape": {
        "type": "object",
        "properties": {
            "center": {"$ref": "#/components/schemas/Point"},
            "corners": {"type": "array", "items": {"$ref": "#/components/schemas/Point"}},
        },
    },
}


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "integer"}, "whole number"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "text or null"),
        ({"enum": ["csv", "parquet"]}, '"csv" or "parquet"'),
        ({"const": True}, "true"),
        ({"type": "string", "format": "binary"}, "file"),
        (
            {"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
            "list of lists of numbers",
        ),
        ({"type": "object", "additionalProperties": {"type": "string"}}, "object of texts"),
        ({"$ref": "#/components/schemas/Point"}, "object"),
    ],
)
def test_types_are_named_in_words(schema: dict[str, Any], words: str) -> None:
    assert Schemas(NAMED).type_of(schema) == words


def test_references_are_resolved_to_paths() -> None:
    fields = list(Schemas(NAMED).fields({"$ref": "#/components/schemas/Shape"}))
    assert [field.name for field in fields] == ["center", "center.x", "corners", "corners[].x"]
    assert [field.is_required for field in fields] == [False, True, False, True]


def test_limits_and_defaults_are_part_of_the_meaning() -> None:
    schema = {
        "properties": {
            "n": {"type": "integer", "minimum": 1, "maximum": 200, "default": 30, "description": "How many."}
        }
    }
    (field,) = Schemas({}).fields(schema)
    assert field.text == "How many; 1 to 200; by default 30"


def test_an_example_has_the_required_fields() -> None:
    assert Schemas(NAMED).example({"$ref": "#/components/schemas/Point"}) == {"x": "text"}
    assert Schemas({}).example({"type": "string", "examples": ["Film begins"]}) == "Film begins"
