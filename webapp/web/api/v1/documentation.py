"""The API's description, for programs and for people."""

from __future__ import annotations

import functools

from flask import Blueprint, Response, jsonify, render_template, request

from webapp.web.api.v1.openapi import ABOUT, SCOPE_TEXTS, described, document
from webapp.web.api.v1.reference import Group, groups_of
from webapp.web.api.v1.schemas.problems import CODES, Description

blueprint = Blueprint("documentation", __name__, url_prefix="/api/v1")


@blueprint.get("/openapi.json")
@described(ABOUT, {200: Description})
def openapi_document() -> Response:
    """This description, in OpenAPI 3.1."""
    return jsonify(document())


@blueprint.get("/docs")
@described(ABOUT, {}, files={200: "text/html"})
def docs() -> str:
    """The same for people."""
    return render_template(
        "api/docs.html",
        groups=_groups(request.host_url.rstrip("/")),
        scopes=SCOPE_TEXTS,
        codes=CODES,
    )


@functools.lru_cache(maxsize=16)
def _groups(root: str) -> tuple[Group, ...]:
    """What the page shows under one of the server's addresses."""
    return groups_of(document(), root)
