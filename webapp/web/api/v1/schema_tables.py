"""Schemas of the API's description as the rows of a table, with every reference resolved."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]

TYPES = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}
"""What people call the types of JSON."""

PLURALS = {
    "text": "texts",
    "number": "numbers",
    "whole number": "whole numbers",
    "object": "objects",
    "list": "lists",
    "file": "files",
}


@dataclass(frozen=True, slots=True)
class Field:
    """A row: where a value is, such as `faces[].pose.yaw`, and what it is."""

    name: str
    type: str
    is_required: bool
    text: str


@dataclass(frozen=True, slots=True)
class Schemas:
    """The named schemas of a description."""

    named: Mapping[str, Schema]

    def resolved(self, schema: Schema) -> Schema:
        """A schema with the one that it refers to, whose description it may replace."""
        if "$ref" not in schema:
            return schema
        target = self.named[schema["$ref"].rpartition("/")[2]]
        return {**self.resolved(target), **{name: value for name, value in schema.items() if name != "$ref"}}

    def fields(self, schema: Schema, within: str = "") -> Iterator[Field]:
        """The fields of an object, each followed by those within it."""
        whole = self.resolved(schema)
        for name, inner in whole.get("properties", {}).items():
            value = self.resolved(inner)
            path = f"{within}{name}"
            yield Field(path, self.type_of(value), name in whole.get("required", ()), _text_of(value))
            yield from self._fields_within(value, path)

    def _fields_within(self, value: Schema, path: str) -> Iterator[Field]:
        items = value.get("items")
        if items is not None:
            yield from self.fields(items, f"{path}[].")
        elif not _is_uniform(value):
            yield from self.fields(value, f"{path}.")

    def type_of(self, schema: Schema) -> str:
        """What a value may be, in words."""
        value = self.resolved(schema)
        if alternatives := value.get("anyOf"):
            return " or ".join(self.type_of(one) for one in alternatives)
        if "const" in value or "enum" in value:
            return " or ".join(json.dumps(one) for one in value.get("enum") or [value["const"]])
        if value.get("format") == "binary":
            return "file"
        if value.get("type") == "array":
            return f"list of {_plural(self.type_of(value.get('items', {})))}"
        if value.get("type") == "object":
            return self._type_of_object(value)
        return TYPES.get(value.get("type", ""), "anything")

    def _type_of_object(self, value: Schema) -> str:
        if _is_uniform(value):
            inner = next(iter(value["properties"].values()))
            return f"object: {self.type_of(inner)} for {', '.join(value['properties'])}"
        extra = value.get("additionalProperties")
        return f"object of {_plural(self.type_of(extra))}" if isinstance(extra, Mapping) else "object"

    def example(self, schema: Schema) -> Any:  # noqa: ANN401 - JSON
        """A value that fits: the example that a schema has, or one of its required fields."""
        value = self.resolved(schema)
        if "example" in value:
            return value["example"]
        for found in (value.get("examples"), value.get("enum")):
            if found:
                return found[0]
        if value.get("type") == "object":
            required = value.get("required", ())
            return {
                name: self.example(inner) for name, inner in value["properties"].items() if name in required
            }
        return value.get("default", "text")


def _plural(name: str) -> str:
    """The type of several values: lists of numbers, objects, texts."""
    first, _, rest = name.partition(" of ")
    if first in PLURALS:
        return " of ".join(filter(None, (PLURALS[first], rest)))
    return name


def _is_uniform(value: Schema) -> bool:
    """Whether an object has the same plain schema under each name, as probabilities have."""
    inner = list(value.get("properties", {}).values())
    return len(inner) > 2 and all(one == inner[0] and "description" not in one for one in inner)


def _text_of(value: Schema) -> str:
    """The description of a value, with its limits and its default."""
    parts = [value.get("description", "").strip().rstrip(".")]
    low, high = (
        value.get(name, value.get(other))
        for name, other in (("minimum", "minLength"), ("maximum", "maxLength"))
    )
    if low is not None and high is not None:
        unit = " characters" if "maxLength" in value else ""
        parts.append(f"{low:g} to {high:,}{unit}")
    if value.get("maxItems") is not None and value.get("minItems") is None:
        parts.append(f"at most {value['maxItems']}")
    if value.get("default") not in (None, "") and value.get("type") != "object":
        parts.append(f"by default {json.dumps(value['default'])}")
    return "; ".join(filter(None, parts))
