"""The API's description as the documentation page shows it: plain values for its template."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from webapp.web.api.v1.schema_tables import Field, Schema, Schemas

SAMPLES = {"code": "ABCD2345"}
"""What stands for a parameter of a path in an example."""

MULTIPART = "multipart/form-data"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A response: its status, what it means, the media type of its body, and the fields of that."""

    status: str
    text: str
    media_type: str
    fields: tuple[Field, ...]

    @property
    def is_problem(self) -> bool:
        """Whether the request failed."""
        return self.status >= "400"


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    id: str
    method: str
    path: str
    summary: str
    paragraphs: tuple[str, ...]
    access: str
    parameters: tuple[Field, ...]
    media_type: str
    fields: tuple[Field, ...]
    outcomes: tuple[Outcome, ...]
    curl: str


@dataclass(frozen=True, slots=True)
class Group:
    """The operations under one tag."""

    name: str
    text: str
    operations: tuple[Operation, ...]


def groups_of(document: Mapping[str, Any], root: str) -> tuple[Group, ...]:
    """The operations of a description by their tags; `root` is the server's address, without a slash."""
    schemas = Schemas(document["components"]["schemas"])
    made = [
        (operation["tags"][0], _operation(path, method, operation, schemas, root))
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]
    return tuple(
        Group(tag["name"], tag["description"], tuple(one for name, one in made if name == tag["name"]))
        for tag in document["tags"]
    )


def _operation(
    path: str, method: str, described: Mapping[str, Any], schemas: Schemas, root: str
) -> Operation:
    media_type, schema = _body(described.get("requestBody"))
    return Operation(
        id=described["operationId"],
        method=method.upper(),
        path=path,
        summary=described["summary"],
        paragraphs=tuple(filter(None, described.get("description", "").split("\n\n"))),
        access=_access(described.get("security", [])),
        parameters=tuple(_parameters(described["parameters"], schemas)),
        media_type=media_type,
        fields=tuple(schemas.fields(schema)),
        outcomes=tuple(_outcomes(described["responses"], schemas)),
        curl=_curl(path, method, described, schemas, root),
    )


def _body(body: Mapping[str, Any] | None) -> tuple[str, Schema]:
    """The media type and the schema of a request's or a response's body; empty where it has none."""
    for media_type, content in (body or {}).get("content", {}).items():
        return media_type, content["schema"]
    return "", {}


def _access(security: list[Mapping[str, list[str]]]) -> str:
    """Who may do it, in words."""
    if not security:
        return "Open to everyone."
    scopes = [scope for one in security for scope in one.get("key", [])]
    needed = f"a key with the scope {' or '.join(scopes)}"
    return f"From other machines it needs {needed}." if {} in security else f"Needs {needed}."


def _parameters(parameters: list[Mapping[str, Any]], schemas: Schemas) -> Iterator[Field]:
    for one in parameters:
        where = "" if one["in"] == "path" else f" ({one['in']})"
        text = one.get("description", "").rstrip(".")
        default = one["schema"].get("default")
        text = "; ".join(filter(None, (text, f"by default {json.dumps(default)}" if default else "")))
        yield Field(f"{one['name']}{where}", schemas.type_of(one["schema"]), one["required"], text)


def _outcomes(responses: Mapping[str, Any], schemas: Schemas) -> Iterator[Outcome]:
    for status, response in responses.items():
        media_type, schema = _body(response)
        fields = () if status >= "400" else tuple(schemas.fields(schema))
        yield Outcome(status, response["description"], media_type, fields)


def _curl(path: str, method: str, described: Mapping[str, Any], schemas: Schemas, root: str) -> str:
    """A command that does it."""
    parts = ["curl"] if method == "get" else ["curl", f"-X {method.upper()}"]
    if described.get("security"):
        parts.append('-H "Authorization: Bearer $MIEN_KEY"')
    media_type, schema = _body(described.get("requestBody"))
    if media_type == MULTIPART:
        parts = [part for part in parts if not part.startswith("-X")]
        parts += [f"-F {field.name}=@FILE" for field in schemas.fields(schema) if field.type == "file"]
    elif media_type:
        parts.append("--json " + _quoted(json.dumps(schemas.example(schema), ensure_ascii=False)))
        parts = [part for part in parts if part != "-X POST"]
    if any(_body(one)[1].get("format") == "binary" for one in described["responses"].values()):
        parts.append("-O")
    parts.append(root + _filled(path, described["parameters"]))
    return " \\\n  ".join(parts)


def _quoted(text: str) -> str:
    """A text as one word of a shell."""
    return "'" + text.replace("'", "'\\''") + "'"


def _filled(path: str, parameters: list[Mapping[str, Any]]) -> str:
    """A path with something in place of each parameter."""
    for one in parameters:
        path = path.replace(
            f"{{{one['name']}}}", SAMPLES.get(one["name"], one["name"].rpartition("_")[2].upper())
        )
    return path
