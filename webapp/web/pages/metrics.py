"""`/metrics`: what Prometheus scrapes; `webapp.metrics` and `webapp.web.state_metrics` list the names."""

from __future__ import annotations

from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from webapp.web.authentication import check_scope, current_host, optional_scope, shows_bearer
from webapp.web.context import services
from webapp.web.problems import answer_problems
from webapp.web.upload_access import is_from_this_machine

blueprint = Blueprint("metrics", __name__)
answer_problems(blueprint)


@blueprint.get("/metrics")
@optional_scope("metrics")
def metrics() -> Response:
    """All metrics as text, for programs on this machine and for those with a key for that."""
    is_local = is_from_this_machine()
    host = None if is_local and not shows_bearer() else current_host()
    if host is not None:
        check_scope(host, "metrics")
    elif not is_local:
        text = "Ask from this machine, or send Authorization: Bearer KEY with a key of the scope metrics.\n"
        return Response(text, 401, mimetype="text/plain")
    return Response(services().state.text(), content_type=CONTENT_TYPE_PLAIN_0_0_4)
