"""Wires the server together: settings in, a Flask application out."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, render_template, request
from flask_socketio import SocketIO
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from webapp.accounts.hosts import Hosts
from webapp.analysis.worker_pool import WorkerPool
from webapp.analysis.worker_process import worker_spec
from webapp.config import PROJECT_ROOT, Settings
from webapp.protocol import MAX_IMAGE_BYTES
from webapp.rooms.housekeeping import Housekeeping
from webapp.rooms.lsl import LslOutlets
from webapp.rooms.service import RoomService
from webapp.rooms.ticker import Ticker
from webapp.server import socketio_server
from webapp.server.certificates import certified_names
from webapp.server.folder_lock import FolderLock
from webapp.server.known_hosts import HostCheck, KnownHosts, is_api
from webapp.store.client import StoreClient
from webapp.store.database import check_url
from webapp.store.sample_writer import SampleWriter
from webapp.version import model_version
from webapp.web.api.v1.rooms import create_api
from webapp.web.authentication import protect
from webapp.web.pages.host import create_host_pages, sign_in_page
from webapp.web.pages.live import create_blueprint
from webapp.web.pages.participant import create_room_pages
from webapp.web.problems import HTTP_PROBLEMS, problem
from webapp.web.sockets.connections import Connections
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
    the workers, `app.extensions["hosts"]` the hosts, `app.extensions["known_hosts"]` the server's names.

    Raises:
        SettingsError, CertificateError: a setting names what cannot be used.
    """
    app = Flask(__name__, template_folder=PROJECT_ROOT / "templates", static_folder=PROJECT_ROOT / "static")
    app.config["MAX_CONTENT_LENGTH"] = MAX_MESSAGE_BYTES
    pool = WorkerPool(worker_spec(settings), settings.workers)
    app.extensions["engine"] = pool
    app.register_blueprint(create_blueprint(pool, settings))
    app.after_request(_add_security_headers)
    socketio = _create_socketio(app, settings)
    room_events = _add_rooms(app, settings, socketio)
    Events(pool, settings.smoothing_s, room_events).register(socketio)
    if settings.proxies:
        # Each proxy adds an address; the scheme is what the nearest one says.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.proxies, x_proto=1, x_host=0)  # type: ignore[method-assign]
    known_hosts = KnownHosts(settings, certified_names(settings))
    app.wsgi_app = HostCheck(app.wsgi_app, known_hosts)  # type: ignore[method-assign]
    app.extensions["known_hosts"] = known_hosts
    return app


def _add_rooms(app: Flask, settings: Settings, socketio: SocketIO) -> RoomEvents:
    """The store, the lab, and the pages, API and events of rooms."""
    check_url(settings.database_url)
    store = StoreClient(settings.database_url)
    writer = SampleWriter(store)
    connections = Connections(socketio)
    room_service = RoomService(
        store,
        writer,
        model_version(settings.model_path),
        tell=connections.tell,
        is_connected=connections.__contains__,
        outlets=[LslOutlets()] if settings.lsl else [],
    )
    hosts = Hosts(store, settings.host_token)
    ticker = Ticker(room_service, socketio)
    protect(app, hosts, settings.data_dir)
    app.register_blueprint(create_api(room_service, settings))
    app.register_blueprint(create_host_pages(room_service, hosts, settings))
    app.register_blueprint(create_room_pages(room_service))
    app.login_manager.unauthorized_handler(_refuse)  # type: ignore[attr-defined]  # Flask-Login adds it
    app.register_error_handler(CSRFError, _refuse_forgery)
    app.register_error_handler(HTTPException, _answer_http_error)
    housekeeping = Housekeeping(room_service, settings.retention_days)
    parts = [FolderLock(settings), app.extensions["engine"], store, writer, ticker, housekeeping]
    app.extensions.update(parts=parts, hosts=hosts, room_service=room_service)
    events = RoomEvents(connections, room_service, ticker.subscriptions, hosts)
    events.register(socketio)
    return events


def _create_socketio(app: Flask, settings: Settings) -> SocketIO:
    socketio_server.install()
    return SocketIO(
        app,
        async_mode="eventlet",
        max_http_buffer_size=MAX_MESSAGE_BYTES,
        http_compression=False,
        cors_allowed_origins=_origin_check(settings.allowed_origins),
        manage_session=False,
        json=WireJson,
        connections_per_address=settings.connections_per_address,
    )


def _origin_check(others: tuple[str, ...]) -> Callable[[str, dict[str, Any]], bool] | None:
    """Whether pages of an origin may connect: our own, as Socket.IO has it by itself, and `others`."""
    if not others:
        return None

    def is_allowed(origin: str, environ: dict[str, Any]) -> bool:
        return origin in others or origin == f"{environ['wsgi.url_scheme']}://{environ.get('HTTP_HOST')}"

    return is_allowed


def _refuse() -> Any:  # noqa: ANN401 - a page or an object
    """The answer to whoever is no host: the form to sign in, or a problem for programs."""
    if is_api(request.path):
        return problem("unauthorized", "Sign in as a host, or send Authorization: Bearer TOKEN."), 401
    return sign_in_page()


def _refuse_forgery(error: CSRFError) -> Any:  # noqa: ANN401 - a page or an object
    message = "The page that sent this is too old, or not ours; load it again."
    return _problem_answer("forbidden", message), 403


def _answer_http_error(error: HTTPException) -> Any:  # noqa: ANN401 - a page or an object
    """The answer to what no view could take, or one failed on: an object for programs, a page for people."""
    if not is_api(request.path) or error.code not in HTTP_PROBLEMS:
        return error
    answer = error.get_response()
    code, message = HTTP_PROBLEMS[error.code]
    answer.data = json.dumps(problem(code, message))
    answer.content_type = "application/json"
    return answer


def _problem_answer(code: str, message: str) -> Any:  # noqa: ANN401 - a page or an object
    """A problem as an object for programs, as a page for people."""
    if is_api(request.path):
        return problem(code, message)
    return render_template("shared/problem.html", error=message)


def _add_security_headers(response: Response) -> Response:
    response.headers.update(SECURITY_HEADERS)
    if request.path.startswith(PRIVATE_PATHS):
        response.headers["Cache-Control"] = "no-store"
    return response
