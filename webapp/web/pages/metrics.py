"""`/metrics`: what Prometheus scrapes; `webapp.metrics` and `webapp.web.state_metrics` list the names."""

from __future__ import annotations

import ipaddress

from flask import Blueprint, Response, request
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from webapp.web.authentication import current_host
from webapp.web.context import services

FORWARDING_HEADERS = ("X-Forwarded-For", "Forwarded", "Via")
"""A request that has one came through a proxy, whatever address it shows."""

blueprint = Blueprint("metrics", __name__)


@blueprint.get("/metrics")
def metrics() -> Response:
    """All metrics as text, for programs on this machine and for those with a key."""
    if not (_is_from_here() or current_host()):
        text = "Ask from this machine, or send Authorization: Bearer KEY with an API key.\n"
        return Response(text, 401, mimetype="text/plain")
    return Response(services().state.text(), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _is_from_here() -> bool:
    """Whether a program on this machine asks, and not a proxy on it for somebody else."""
    if not services().settings.proxies and any(name in request.headers for name in FORWARDING_HEADERS):
        return False
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False
