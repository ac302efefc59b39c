"""Builds the server's parts, wires them together, and starts and stops them."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from flask import Flask
from flask_socketio import SocketIO
from werkzeug.middleware.proxy_fix import ProxyFix

from webapp.accounts.audit import AuditLog
from webapp.accounts.first_access import first_token
from webapp.accounts.join_limits import WrongCodes
from webapp.accounts.rate_limits import AttemptLimit
from webapp.accounts.service import AccountService
from webapp.accounts.sessions import key_print, session_key
from webapp.accounts.shared_counts import Counts, SharedCounts
from webapp.analysis.worker_pool import WorkerPool
from webapp.analysis.worker_process import worker_spec
from webapp.config import Settings
from webapp.ipc.memory import MemoryTrimmer, keep_what_exists
from webapp.jobs.service import JobService
from webapp.protocol import MAX_IMAGE_BYTES, ImageLimits
from webapp.rooms.catalogue.owned_rooms import OwnedRooms
from webapp.rooms.housekeeping import Housekeeping
from webapp.rooms.lsl.inlets import LslInlets
from webapp.rooms.lsl.outlets import LslOutlets
from webapp.rooms.service import NodeParts, RoomService
from webapp.rooms.ticker import Ticker
from webapp.server import socketio_server
from webapp.server.client_address import ClientAddress
from webapp.server.folder_lock import FolderLock
from webapp.server.known_hosts import HostCheck, KnownHosts
from webapp.server.tls.certificates import certified_names
from webapp.server.upkeep import UpkeepLog, concerns
from webapp.store.client import StoreClient
from webapp.store.database import check_url
from webapp.store.leases import lease_clock
from webapp.store.nodes.messages import Identity
from webapp.store.sample_writer import SampleWriter
from webapp.version import model_version
from webapp.web.api.v1 import analyze, documentation, job_files, jobs, markers, rooms, stream
from webapp.web.authentication import add_sessions
from webapp.web.compression import compress_static
from webapp.web.context import MienFlask, Services
from webapp.web.languages import add_languages
from webapp.web.observation import observe
from webapp.web.pages import about, embed, files, health, languages, live, metrics, participant
from webapp.web.pages.host import index as host
from webapp.web.security import secure
from webapp.web.sockets.connections import Connections
from webapp.web.sockets.drain import Drain
from webapp.web.sockets.frames import FrameEvents
from webapp.web.sockets.json import WireJson
from webapp.web.sockets.room_gate import RoomGate
from webapp.web.sockets.rooms import RoomEvents
from webapp.web.state_metrics import StateMetrics
from webapp.web.uploads import Uploads

BLUEPRINTS = (
    live.blueprint,
    files.blueprint,
    about.blueprint,
    languages.blueprint,
    health.blueprint,
    metrics.blueprint,
    participant.blueprint,
    embed.blueprint,
    host.blueprint,
    analyze.blueprint,
    rooms.blueprint,
    markers.blueprint,
    stream.blueprint,
    jobs.blueprint,
    job_files.blueprint,
    documentation.blueprint,
)

MAX_MESSAGE_BYTES = 8 * MAX_IMAGE_BYTES
"""Images over MAX_IMAGE_BYTES get an answer; a message over this is not read, and its connection ends."""


class Part(Protocol):
    """What runs beside the requests."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End."""


@dataclass(frozen=True, slots=True)
class Application:
    """A server: `flask` answers requests while the `parts` run; `known_hosts` are the server's names."""

    flask: MienFlask
    known_hosts: KnownHosts
    parts: tuple[Part, ...]

    @classmethod
    def build(cls, settings: Settings) -> Application:
        """An application with nothing started yet.

        Raises:
            SettingsError, CertificateError: a setting names what cannot be used.
        """
        check_url(settings.database_url)
        key = settings.secret_key or session_key(settings.data_dir)
        counts = SharedCounts(settings.redis_url) if settings.redis_url and settings.shares_database else None
        socketio = _create_socketio(settings)
        pool = WorkerPool(worker_spec(settings), settings.workers)
        store = StoreClient(settings.database_url, "webapp.export.store_process")
        writer = SampleWriter(store)
        connections = Connections(socketio)
        room_service = _create_rooms(settings, store, writer, connections, key)
        ticker = Ticker(room_service, socketio)
        accounts = _create_accounts(settings, store, room_service, key, counts)
        audit = AuditLog(store, settings.audit_days)
        wrong_codes = WrongCodes(counts)
        needed = (ticker.subscriptions, ticker.history, accounts, audit, wrong_codes, counts)
        room_events = RoomEvents(connections, room_service, *needed)
        frame_events = FrameEvents(pool, settings.smoothing_s, room_events)
        jobs = JobService(settings)
        state = StateMetrics(settings, pool, store, writer, room_service, jobs, frame_events.clients)
        drain = Drain(room_service.catalogue, connections)
        parts_of_pages = (accounts, room_service, jobs, audit, state, drain, wrong_codes, counts)
        services = _create_services(settings, pool, *parts_of_pages)
        known_hosts = KnownHosts(settings, certified_names(settings))
        flask = _create_flask(services, socketio, known_hosts, key)
        room_events.register(socketio)
        frame_events.register(socketio)
        housekeeping = Housekeeping(room_service, settings.retention_days, audit.note_retention)
        inlets = (LslInlets(room_service),) if settings.lsl else ()
        upkeep = UpkeepLog(partial(concerns, settings))
        beside = (ticker, housekeeping, jobs, audit, upkeep, MemoryTrimmer(), *inlets)
        parts = (FolderLock(settings), pool, store, room_service.catalogue, writer, *beside)
        return cls(flask, known_hosts, parts)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Start the parts in order; at the end of the block stop those that started, in reverse."""
        with ExitStack() as started:
            for part in self.parts:
                part.start()
                started.callback(part.stop)
            keep_what_exists()
            yield

    def drain(self) -> None:
        """Let nobody in any more, give the rooms to other nodes, and tell whoever is here to go there."""
        self.flask.services.drain.begin()

    def made_token(self) -> str | None:
        """The token for the first account that this start made, while nobody has one.

        Raises:
            StoreError: the store cannot tell.
        """
        return self.flask.services.accounts.first_access.made_token()


def create_app(settings: Settings) -> Flask:
    """The WSGI application with nothing started, as `Application.build` makes it."""
    return Application.build(settings).flask


def _create_rooms(
    settings: Settings, store: StoreClient, writer: SampleWriter, connections: Connections, key: str
) -> RoomService:
    node = None
    if settings.shares_database:
        node = NodeParts(
            Identity(settings.node, secrets.token_hex(16), key_print(key)),
            StoreClient(settings.database_url, "webapp.store.nodes.process", "locks"),
            store,
            connections.send_away,
            connections.is_watched,
        )
    return RoomService(
        store,
        writer,
        model_version(settings.model_path),
        tell=connections.tell,
        is_connected=connections.__contains__,
        outlets=[LslOutlets()] if settings.lsl else [],
        node=node,
    )


def _create_accounts(
    settings: Settings, store: StoreClient, rooms: RoomService, key: str, counts: Counts | None
) -> AccountService:
    catalogue = rooms.catalogue
    if not isinstance(catalogue, OwnedRooms):
        return AccountService(store, settings.host_token)
    return AccountService(
        store,
        settings.host_token,
        first_token=first_token(key) if settings.secret_key else None,
        changes=lambda: catalogue.locks.accounts,
        is_up_to_date=lambda: lease_clock() < catalogue.locks.lease_end_s,
        counts=counts,
    )


def _create_services(
    settings: Settings,
    pool: WorkerPool,
    accounts: AccountService,
    rooms: RoomService,
    jobs: JobService,
    audit: AuditLog,
    state: StateMetrics,
    drain: Drain,
    wrong_codes: WrongCodes,
    counts: Counts | None,
) -> Services:
    return Services(
        settings=settings,
        pool=pool,
        accounts=accounts,
        rooms=rooms,
        uploads=Uploads(
            pool, ImageLimits(settings.max_file_bytes, settings.max_file_pixels), settings.limits
        ),
        page_uploads=_upload_limit(settings, counts),
        wrong_codes=wrong_codes,
        jobs=jobs,
        audit=audit,
        state=state,
        drain=drain,
    )


def _upload_limit(settings: Settings, counts: Counts | None) -> AttemptLimit | None:
    limit = settings.analyze_per_minute
    return AttemptLimit(limit, counts=counts, name="uploads") if limit else None


def _create_flask(services: Services, socketio: SocketIO, known_hosts: KnownHosts, key: str) -> MienFlask:
    settings = services.settings
    app = MienFlask(__name__, services)
    app.config["MAX_CONTENT_LENGTH"] = MAX_MESSAGE_BYTES
    secure(app)
    compress_static(app)
    observe(app)
    add_languages(app)
    add_sessions(app, services.accounts, key)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    socketio.init_app(app)
    gated = services.rooms if settings.shares_database else None
    app.wsgi_app = RoomGate(app.wsgi_app, gated, services.drain)  # type: ignore[method-assign]
    if settings.proxies:
        # Each proxy adds an address; the scheme is what the nearest one says.
        app.wsgi_app = ClientAddress(app.wsgi_app, settings.proxies)  # type: ignore[method-assign]
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=0, x_proto=1, x_host=0)  # type: ignore[method-assign]
    app.wsgi_app = HostCheck(app.wsgi_app, known_hosts)  # type: ignore[method-assign]
    return app


def _create_socketio(settings: Settings) -> SocketIO:
    socketio_server.install()
    return SocketIO(
        async_mode="eventlet",
        max_http_buffer_size=MAX_MESSAGE_BYTES,
        http_compression=False,
        cors_allowed_origins=_origin_check(settings.allowed_origins),
        manage_session=False,
        json=WireJson,
        ping_timeout=settings.limits.ping_timeout_s,
        limits=settings.limits,
    )


def _origin_check(others: tuple[str, ...]) -> Callable[[str, dict[str, Any]], bool] | None:
    """Whether pages of an origin may connect: our own, as Socket.IO has it by itself, and `others`."""
    if not others:
        return None

    def is_allowed(origin: str, environ: dict[str, Any]) -> bool:
        return origin in others or origin == f"{environ['wsgi.url_scheme']}://{environ.get('HTTP_HOST')}"

    return is_allowed
