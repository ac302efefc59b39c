"""`/metrics`: what Prometheus scrapes; `webapp.metrics` and `webapp.web.state_metrics` list the names."""

from __future__ import annotations

from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from webapp.web.authentication import current_host
from webapp.web.context import services
from webapp.web.upload_access import is_from_this_machine

blueprint = Blueprint("metrics", __name__)


@blueprint.get("/metrics")
def metrics() -> Response:
    """All metrics as text, for programs on this machine and for those with a key."""
    if not (is_from_this_machine() or current_host()):
        text = "Ask from this machine, or send Authorization: Bearer KEY with an API key.\n"
        return Response(text, 401, mimetype="text/plain")
    return Response(services().state.text(), content_type=CONTENT_TYPE_PLAIN_0_0_4)
