"""The API's description, for programs and for people."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from webapp.web.api.v1.openapi import document

blueprint = Blueprint("documentation", __name__, url_prefix="/api/v1")


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """The API in OpenAPI 3.1."""
    return jsonify(document())


@blueprint.get("/docs")
def docs() -> str:
    """The same for people."""
    return "soon"
