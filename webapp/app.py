"""Wires the server together: settings in, a Flask application out."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, render_template, request
from flask_socketio import SocketIO
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from webapp.accounts.hosts import Hosts, protect
from webapp.analysis.worker_pool import Engine
from webapp.analysis.worker_process import WorkerProcess, worker_command
from webapp.config import PROJECT_ROOT, Settings
from webapp.protocol import MAX_IMAGE_BYTES
from webapp.rooms.lsl import LslOutlets
from webapp.rooms.service import Lab
from webapp.rooms.ticker import Beat
from webapp.store.client import StoreProcess
from webapp.store.sample_writer import Writer
from webapp.version import model_version
from webapp.web.api.v1.rooms import create_api
from webapp.web.pages.host import create_host_pages, sign_in_page
from webapp.web.pages.live import create_blueprint
from webapp.web.pages.participant import create_room_pages
from webapp.web.problems import problem
from webapp.web.sockets.frames import Events
from webapp.web.sockets.json import WireJson
from webapp.web.sockets.rooms import RoomEvents

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

PRIVATE_PATHS = ("/host", "/api/v1/rooms", "/r/")
"""What no browser and no proxy may keep."""


def create_app(settings: Settings) -> Flask:
    """The application with nothing started yet.

    `app.extensions["parts"]` has what to start, and to stop in the reverse order; `app.extensions["engine"]`
    the workers and `app.extensions["hosts"]` the hosts.
    """
    app = Flask(__name__, template_folder=PROJECT_ROOT / "templates", static_folder=PROJECT_ROOT / "static")
    app.config["MAX_CONTENT_LENGTH"] = MAX_MESSAGE_BYTES
    engine = Engine(lambda: WorkerProcess(worker_command(settings)), settings.workers)
    app.extensions["engine"] = engine
    app.register_blueprint(create_blueprint(engine, settings))
    app.after_request(_add_security_headers)
    socketio = _create_socketio(app, settings)
    room_events = _add_rooms(app, settings, socketio)
    Events(engine, settings.smoothing_s, room_events).register(socketio)
    if settings.proxies:
        # Each proxy adds an address; the scheme is what the nearest one says.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.proxies, x_proto=1, x_host=0)  # type: ignore[method-assign]
    return app


def _add_rooms(app: Flask, settings: Settings, socketio: SocketIO) -> RoomEvents:
    """The store, the lab, and the pages, API and events of rooms."""
    store = StoreProcess(settings.database_url)
    writer = Writer(store)
    lab = Lab(store, writer, model_version(settings.model_path))
    if settings.lsl:
        lab.people.outlets.append(LslOutlets())
    hosts = Hosts(store, settings.host_token)
    beat = Beat(lab, socketio, settings.retention_days)
    limiter = protect(app, hosts, settings.data_dir)
    app.register_blueprint(create_api(lab, limiter, settings))
    app.register_blueprint(create_host_pages(lab, hosts, store, limiter, settings))
    app.register_blueprint(create_room_pages(lab, limiter))
    app.login_manager.unauthorized_handler(_refuse)  # type: ignore[attr-defined]  # Flask-Login adds it
    app.register_error_handler(CSRFError, _refuse_forgery)
    app.register_error_handler(429, _refuse_attempts)
    app.extensions.update(parts=[app.extensions["engine"], store, writer, beat], hosts=hosts, lab=lab)
    events = RoomEvents(lab, beat.watchers)
    events.register(socketio)
    return events


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


def _refuse() -> Any:  # noqa: ANN401 - a page or an object
    """The answer to whoever is no host: the form to sign in, or a problem for programs."""
    if request.path.startswith("/api/"):
        return problem("unauthorized", "Sign in as a host, or send Authorization: Bearer TOKEN."), 401
    return sign_in_page()


def _refuse_forgery(error: CSRFError) -> Any:  # noqa: ANN401 - a page or an object
    message = "The page that sent this is too old, or not ours; load it again."
    return _problem_answer("forbidden", message), 403


def _refuse_attempts(error: HTTPException) -> Any:  # noqa: ANN401 - a page or an object
    return _problem_answer("too_many_attempts", "Too many attempts; wait a minute."), 429


def _problem_answer(code: str, message: str) -> Any:  # noqa: ANN401 - a page or an object
    """A problem as an object for programs, as a page for people."""
    if request.path.startswith("/api/"):
        return problem(code, message)
    return render_template("shared/problem.html", error=message)


def _add_security_headers(response: Response) -> Response:
    response.headers.update(SECURITY_HEADERS)
    if request.path.startswith(PRIVATE_PATHS):
        response.headers["Cache-Control"] = "no-store"
    return response
