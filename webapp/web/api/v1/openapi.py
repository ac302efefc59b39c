"""Checks the API's requests by their types, and describes the API in OpenAPI 3.1 from the same types.

Every view of the API follows one pattern. The parameter `json` or `query` is the request as its model has it;
the model of a response is returned with its status:

    @blueprint.post("/rooms/<code>/recording")
    @needs_scope("rooms:write")
    @described(ROOMS, {200: RecordingChanged}, problems=(409,))
    def record(code: str, json: RecordingChange) -> Answer:
        \"\"\"Start or stop recording.\"\"\"
        ...
        return RecordingChanged(recording=...), 200

`needs_scope` stands above `described`: whoever may not do this learns nothing about the request. Uploads name
the model of their form as `upload`, and read it themselves, as it may be larger than memory.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from flask import Request, Response, current_app, make_response, request
from pydantic import BaseModel
from spectree import Response as Statuses
from spectree import SpecTree, Tag
from spectree.plugins.base import Context
from spectree.plugins.flask_plugin import FlaskPlugin
from spectree.plugins.werkzeug_utils import flask_response_unpack
from werkzeug.exceptions import UnsupportedMediaType

from webapp.codec import PROBLEM_MEDIA_TYPE
from webapp.errors import BadRequestError
from webapp.version import VERSION
from webapp.web.api.v1.schemas.base import checked
from webapp.web.api.v1.schemas.problems import Problem

Answer = tuple[BaseModel, int]
"""What a view returns: the response, and its status."""

ANALYSIS = Tag(name="Analysis", description="Expressions in images and videos.")
ABOUT = Tag(name="Description", description="What the API has.")
ROOMS = Tag(
    name="Rooms", description="Sessions in which a host sees and records the expressions of many people."
)

PATH_PARAMETERS = {
    "code": "The room's code, however it is typed.",
    "job_id": "The job's `id`.",
    "kind": "The kind of file.",
    "participant_id": "The participant's `id` in the room.",
    "marker_id": "The marker's `id`.",
}
"""What the parameters in paths are."""

SCOPE_TEXTS = {
    "analyze": "analyze images and videos",
    "rooms:read": "see rooms, dashboards and recorded data",
    "rooms:write": "create, change and delete rooms, and record in them",
    "markers": "set and change markers, and start and stop recording",
    "metrics": "read the server's metrics at /metrics",
}

PROBLEM_TEXTS = {
    400: "The request cannot be read, or a field is missing or wrong.",
    401: "A key is needed, or the one that was sent is wrong.",
    403: "The key lacks the scope for this.",
    404: "There is no such room, participant, marker, job or address.",
    405: "This address takes other methods.",
    409: "This is not possible in the present state.",
    413: "The request is too large.",
    415: "The body has another content type than this takes.",
    421: "The server does not go by this name.",
    429: "Too many attempts or requests; wait before the next.",
    500: "The server failed; its log says why.",
    503: "The server is busy, or its database or its workers are not available now; try again.",
}
"""When there is a problem of each status."""


@dataclass(frozen=True, slots=True)
class Description:
    """What a view says of itself beside its types."""

    operation_id: str
    statuses: frozenset[int]
    files: Mapping[int, str] = field(default_factory=dict)
    upload: type[BaseModel] | None = None


class ApiPlugin(FlaskPlugin):
    """Reads requests as this API does: its own errors, JSON by content type alone, and nothing buffered."""

    def request_validation(
        self,
        request: Request,
        query: type[BaseModel] | None,
        json: type[BaseModel] | None,
        *unused: object,
    ) -> None:
        """Check what a view declares.

        Raises:
            BadRequestError: a field is missing or wrong.
            UnsupportedMediaType: the body is not declared as JSON.
        """
        request.context = Context(  # type: ignore[attr-defined]  # where SpecTree reads it
            query=checked(query, request.args.to_dict()) if query else None,
            json=checked(json, _json_object()) if json else None,
            form=None,
            headers=None,
            cookies=None,
        )

    def validate_response(self, resp: Any, *unused: object) -> tuple[Response, None]:  # noqa: ANN401 - of a view
        """The response of a view; its model checked it when it was made."""
        if isinstance(resp, Response):  # a file, or a part of one, with its own status
            return resp, None
        payload, status, headers = flask_response_unpack(resp)
        if isinstance(payload, BaseModel):
            payload = Response(payload.model_dump_json(), content_type="application/json")
        return make_response(payload, status, headers), None


def _json_object() -> dict[str, Any]:
    """The JSON object of the current request.

    Raises:
        BadRequestError: it is none, or so deep that no reader can follow it.
        UnsupportedMediaType: it is not declared as JSON.
    """
    if not request.is_json:
        raise UnsupportedMediaType
    try:
        body = request.get_json(silent=True)
    except RecursionError:
        raise BadRequestError(
            "The body is JSON of too many levels; an object of a few fields is expected."
        ) from None
    if not isinstance(body, dict):
        raise BadRequestError("The body must be a JSON object.")
    return body


_api = SpecTree(
    backend=ApiPlugin,
    mode="strict",
    openapi_version="3.1.0",
    title="Mien",
    version=VERSION,
    description="Facial expressions in images and videos, and in rooms with many people.",
    validation_error_status=400,
    validation_error_model=Problem,
    naming_strategy=lambda model: model.__name__,
    nested_naming_strategy=lambda parent, child: child,
)


def described(
    tag: Tag,
    responses: Mapping[int, type[BaseModel]],
    *,
    problems: tuple[int, ...] = (),
    files: Mapping[int, str] | None = None,
    upload: type[BaseModel] | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Response]]:
    """Check a view's requests by the types of its parameters `json` and `query`, and describe it.

    Args:
        tag: under which the documentation lists it.
        responses: the model of each response that is JSON, by status.
        problems: the statuses of its own problems; those that all views have are known.
        files: the media type of each response that is no JSON, by status.
        upload: the form that it reads, whose fields of bytes are files.
    """

    def describe(view: Callable[..., Any]) -> Callable[..., Response]:
        models = {f"HTTP_{status}": model for status, model in responses.items()}
        codes = [f"HTTP_{status}" for status in files or {}]
        checking = _api.validate(
            resp=Statuses(*codes, **models),
            tags=(tag,),
            operation_id=view.__name__,
            path_parameter_descriptions=PATH_PARAMETERS,
        )(view)
        if upload is not None:
            _api._add_model(upload)
        statuses = frozenset(problems) | _request_problems(view)
        checking.description = Description(view.__name__, statuses, files or {}, upload)
        return checking  # type: ignore[no-any-return]

    return describe


def _request_problems(view: Callable[..., Any]) -> frozenset[int]:
    """The statuses of the problems that a request of this shape may have."""
    found = {400, 421, 500}
    if "json" in view.__annotations__:
        found |= {413, 415}
    return frozenset(found)


@functools.cache
def document() -> dict[str, Any]:
    """The description of the API in OpenAPI 3.1; made once, from the routes of the current application."""
    views = {
        view.description.operation_id: view
        for view in current_app.view_functions.values()
        if hasattr(view, "description")
    }
    made: dict[str, Any] = _api.spec
    for path, operations in made["paths"].items():
        for operation in operations.values():
            _complete(operation, path, views[operation["operationId"]])
    made["components"]["securitySchemes"] = _security_schemes()
    made.pop("security", None)
    return made


def _complete(operation: dict[str, Any], path: str, view: Any) -> None:  # noqa: ANN401 - a view with marks
    """Add to an operation what its view says of itself, and what follows from that."""
    about: Description = view.description
    scopes: tuple[str, ...] = getattr(view, "scopes", ())
    statuses = set(about.statuses)
    if scopes:
        statuses |= {401, 403, 429, 503}
        operation["security"] = [*({"key": [scope]} for scope in scopes), {"session": []}]
        if getattr(view, "is_open", False):
            operation["security"].append({})
    if "{" in path:
        statuses |= {404}
    responses = operation["responses"]
    for status, media_type in about.files.items():
        schema = {"type": "string", "format": "binary"}
        responses[str(status)]["content"] = {media_type: {"schema": schema}}
    for status in sorted(statuses):
        responses[str(status)] = _problem_of(status)
    operation["responses"] = dict(sorted(responses.items()))
    if about.upload is not None:
        schema = {"$ref": f"#/components/schemas/{about.upload.__name__}"}
        operation["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
    if not operation["description"]:
        del operation["description"]


def _problem_of(status: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    response: dict[str, Any] = {
        "description": PROBLEM_TEXTS.get(status, HTTPStatus(status).phrase),
        "content": {PROBLEM_MEDIA_TYPE: {"schema": schema}},
    }
    if status in (429, 503):
        text = "Seconds after which to try again, where the server can tell."
        response["headers"] = {"Retry-After": {"description": text, "schema": {"type": "string"}}}
    return response


def _security_schemes() -> dict[str, Any]:
    scopes = "; ".join(f"`{scope}`: {text}" for scope, text in SCOPE_TEXTS.items())
    return {
        "key": {
            "type": "http",
            "scheme": "bearer",
            "description": f"An API key of the account page, with one of the scopes named. {scopes}.",
        },
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": "session",
            "description": (
                "The session of a host who signed in; requests that change something also send the page's "
                "token in `X-CSRFToken`."
            ),
        },
    }
