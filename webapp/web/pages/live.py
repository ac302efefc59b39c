"""The live page, and the certificate that browsers need to trust it."""

from __future__ import annotations

from flask import Blueprint, Response, abort, current_app, render_template, request, url_for

from webapp.protocol import MAX_IMAGE_BYTES
from webapp.server.addresses import without_port
from webapp.server.tls.certificates import authority_pem
from webapp.web.context import services

HTTPS_PORT = 8443
"""Where `make serve` listens."""

blueprint = Blueprint("live", __name__)


@blueprint.get("/")
def index() -> str:
    """The live page; over plain http it links to https, where browsers give it the camera."""
    settings = services().settings
    port = settings.port if settings.https else HTTPS_PORT
    return render_template(
        "live/index.html",
        https_url=f"https://{without_port(request.host)}:{port}/",
        max_image_bytes=MAX_IMAGE_BYTES,
        files_url=url_for("files.index") if "files.index" in current_app.view_functions else None,
    )


@blueprint.get("/authority.crt")
def authority() -> Response:
    """The certificate authority of this server, for people who want to trust it."""
    pem = authority_pem(services().settings)
    if pem is None:
        abort(404, "This server has no certificate authority of its own.")
    return Response(pem, mimetype="application/x-x509-ca-cert")
