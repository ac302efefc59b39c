"""Wires the server together: settings in, a Flask application out."""

from __future__ import annotations

from flask import Flask, Response
from flask_socketio import SocketIO

from webapp.config import PROJECT_ROOT, Settings
from webapp.encoding import WireJson
from webapp.engine import Engine
from webapp.events import Events
from webapp.messages import MAX_IMAGE_BYTES
from webapp.process import WorkerProcess, worker_command
from webapp.routes import create_blueprint

MAX_MESSAGE_BYTES = 8 * MAX_IMAGE_BYTES
"""Pictures over MAX_IMAGE_BYTES get an answer; a message over this is not read, and its connection ends."""

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob: data:; worker-src 'self' blob:; "
        "connect-src 'self' ws: wss:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    ),
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def create_app(settings: Settings) -> Flask:
    """The application with its workers not yet started; `app.extensions["engine"]` has them."""
    app = Flask(__name__, template_folder=PROJECT_ROOT / "templates", static_folder=PROJECT_ROOT / "static")
    app.config["MAX_CONTENT_LENGTH"] = MAX_MESSAGE_BYTES
    engine = Engine(lambda: WorkerProcess(worker_command(settings)), settings.workers)
    app.extensions["engine"] = engine
    app.register_blueprint(create_blueprint(engine, settings))
    app.after_request(_add_security_headers)
    Events(engine, settings.smoothing_s).register(_create_socketio(app, settings))
    return app


def _create_socketio(app: Flask, settings: Settings) -> SocketIO:
    return SocketIO(
        app,
        async_mode="eventlet",
        max_http_buffer_size=MAX_MESSAGE_BYTES,
        http_compression=False,
        cors_allowed_origins=list(settings.allowed_origins) or None,
        manage_session=False,
        json=WireJson,
    )


def _add_security_headers(response: Response) -> Response:
    response.headers.update(SECURITY_HEADERS)
    return response
