"""What load balancers and process managers ask: whether the server lives, and whether it can answer."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from webapp.server.connections.descriptors import SHORTAGE
from webapp.version import VERSION
from webapp.web.context import services

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """200 while the server lives, with its version and the name of its node."""
    return jsonify(status="ok", version=VERSION, node=services().settings.node)


@blueprint.get("/readyz")
def readyz() -> tuple[Response, int]:
    """200 while a worker can answer and connections can be accepted, until the server begins to end."""
    if services().drain.has_begun:
        return jsonify(status="ending"), 503
    if SHORTAGE:
        return jsonify(status="out of file descriptors"), 503
    return (jsonify(status="ready"), 200) if services().pool.ready else (jsonify(status="starting"), 503)
