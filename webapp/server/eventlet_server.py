"""HTTP on eventlet, held against slow, silent and countless clients.

A client must send a request's head and body in time, idle connections make way for new ones (see
`webapp.server.connection_limits`), and connections that break off are nobody's error. An `HttpServer` accepts
until its listener fails for good, and then raises; eventlet's own loop would go on deaf.

Only `webapp.server` and `wsgi.py` know eventlet.
"""

from __future__ import annotations

import contextlib
import logging
import resource
import socket
import ssl
import time
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

import eventlet
from eventlet import greenio, hubs, wsgi

from webapp.config import Settings
from webapp.errors import ListenerError, SettingsError
from webapp.server.certificates import ensure_certificate
from webapp.server.connection_limits import Connections
from webapp.server.https_redirect import answer_plain_http
from webapp.server.known_hosts import KnownHosts
from webapp.server.tls_listener import Listener, TlsListener, tls_context

LISTEN_BACKLOG = 256

MAX_CONNECTIONS = 4096
SPARE_DESCRIPTORS = 256
"""For workers, the store, files and connections that are being refused."""

MAX_DESCRIPTORS = 16384
"""What the soft limit is raised to, where the hard limit allows it."""

HEAD_TIMEOUT_S = 20.0
"""For TLS's handshake and the first request line, and for the headers of any request."""

KEEP_ALIVE_S = 75.0
"""For the next request line; longer than nginx keeps connections to the servers behind it."""

BODY_TIMEOUT_S = 60.0
"""For all of a request's body."""

SEND_TIMEOUT_S = 30.0
"""A client that takes nothing of a response for this long is gone."""

logger = logging.getLogger("mien.http")


def raise_descriptor_limit() -> int:
    """Raise the soft limit of open files towards the hard one; what it is then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MAX_DESCRIPTORS)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return MAX_DESCRIPTORS if soft == resource.RLIM_INFINITY else soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


def connection_limit(descriptors: int) -> int:
    """How many connections fit beside everything else that needs a descriptor."""
    return min(MAX_CONNECTIONS, max(descriptors - SPARE_DESCRIPTORS, descriptors // 2))


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, whose port is this server's alone.

    Raises:
        SettingsError: the address is taken, or not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener: socket.socket = eventlet.listen(
            (host, port), family=family, backlog=LISTEN_BACKLOG, reuse_port=False
        )
    except OSError as error:
        raise SettingsError(
            f"Cannot listen on {host} port {port}: {error.strerror}. Another program, perhaps another Mien "
            "server, may use it; stop that one, or choose another address with MIEN_HOST and MIEN_PORT (or "
            "MIEN_REDIRECT_PORT)."
        ) from error
    return listener


def open_ports(settings: Settings, known_hosts: KnownHosts) -> tuple[HttpServer, HttpServer | None]:
    """Listen: the server for the application, and with https the one that redirects plain http, if any.

    Raises:
        SettingsError: a port cannot be used.
        CertificateError: the certificate cannot be used.
    """
    limit = connection_limit(raise_descriptor_limit())
    # Behind proxies, all connections have the proxies' addresses.
    connections = Connections(limit, limit if settings.proxies else settings.connections_per_address)
    listener = listen(settings.host, settings.port)
    if not settings.https:
        return HttpServer(Listener(listener), connections), None
    pair = ensure_certificate(settings)
    tls_listener = TlsListener(listener, tls_context(pair.certificate, pair.key))
    server = HttpServer(tls_listener, connections, known_hosts)
    if not settings.redirect_port:
        return server, None
    return server, HttpServer(Listener(listen(settings.host, settings.redirect_port)), connections)


class HttpServer:
    """Accepts connections and answers their requests.

    `connections` may be shared with other servers of this process. On a port that speaks TLS, plain http is
    redirected to https under one of the `known_hosts`.
    """

    def __init__(
        self, listener: Listener, connections: Connections, known_hosts: KnownHosts | None = None
    ) -> None:
        self._listener = listener
        self._connections = connections
        self._known_hosts = known_hosts
        # eventlet knows its own TLS only, so it must be told what browsers speak.
        self._scheme = "https" if isinstance(listener, TlsListener) else "http"

    def run(self, application: object) -> None:
        """Accept connections, and let a WSGI application answer their requests.

        Raises:
            ListenerError: no more connections can be accepted.
        """
        server = wsgi.Server(
            self._listener,
            self._listener.getsockname(),
            application,
            log=logger,
            log_output=False,  # neither requests nor tracebacks
            debug=False,  # no traceback goes to a browser
            environ={"wsgi.url_scheme": self._scheme},
            max_http_version="HTTP/1.1",
            keepalive=KEEP_ALIVE_S,
            socket_timeout=SEND_TIMEOUT_S,
        )
        while True:
            try:
                connection, address = self._listener.accept()
            except OSError as error:
                raise ListenerError(f"The server cannot accept connections any more: {error}.") from error
            eventlet.spawn_n(self._answer, connection, address, server)
            time.sleep(0)  # connections that are there already have their turn, however many are new

    def _answer(self, connection: socket.socket, address: tuple[Any, ...], server: wsgi.Server) -> None:
        connection.settimeout(SEND_TIMEOUT_S)
        conversation = Conversation([address, connection, wsgi.STATE_IDLE], server, self._known_hosts)
        try:
            if self._connections.enter(address[0], conversation):
                conversation.run(self._connections)
        except (OSError, ValueError) as error:  # it broke off, or its socket was closed meanwhile
            logger.debug("a connection ended: %s", error)
        finally:
            self._connections.leave(address[0], conversation)
            greenio.shutdown_safe(connection)
            connection.close()


class TimedReader:
    """What arrives on a connection, to be read by the end of the time that was last allowed."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._deadline_s = 0.0

    def allow(self, seconds: float) -> None:
        """Begin a new time."""
        self._deadline_s = time.monotonic() + seconds

    @contextlib.contextmanager
    def _limited(self) -> Iterator[BinaryIO]:
        left_s = max(0.0, self._deadline_s - time.monotonic())
        with eventlet.Timeout(left_s, TimeoutError("the client did not send its request in time")):
            yield self._stream

    def read(self, *count: int) -> bytes:
        """As a file's; raises a TimeoutError at the end of the time."""
        with self._limited() as stream:
            return stream.read(*count)

    def readline(self, *count: int) -> bytes:
        """As a file's; raises a TimeoutError at the end of the time."""
        with self._limited() as stream:
            return stream.readline(*count)

    def readlines(self, *hint: int) -> list[bytes]:
        """As a file's; raises a TimeoutError at the end of the time."""
        with self._limited() as stream:
            return stream.readlines(*hint)

    @property
    def closed(self) -> bool:
        """As a file's."""
        return self._stream.closed

    def close(self) -> None:
        """As a file's."""
        self._stream.close()


class Conversation(wsgi.HttpProtocol):  # type: ignore[misc]  # eventlet is untyped
    """The requests and responses of one connection."""

    minimum_chunk_size = 1
    """Each piece of a response is sent at once: eventlet would keep a stream's events until they are 4 kB."""

    def __init__(self, state: list[Any], server: wsgi.Server, known_hosts: KnownHosts | None) -> None:
        # Not the base class's constructor, which would answer all requests before it returns.
        self.client_address, self.request, _ = self.conn_state = state
        self.server = server
        self._known_hosts = known_hosts
        self.idle = True
        self._connections: Connections
        self._thread = eventlet.getcurrent()

    def run(self, connections: Connections) -> None:
        """Answer requests until either side ends the connection."""
        self._connections = connections
        self.setup()
        self.rfile = TimedReader(cast(Any, self).rfile)
        self.rfile.allow(HEAD_TIMEOUT_S)
        try:
            self.handle()
        finally:
            self.finish()

    def evict(self) -> None:
        """Close the connection, which is idle."""
        self._connections.leave(self.client_address[0], self)
        hubs.get_hub().schedule_call_global(0, self._end)

    def _end(self) -> None:
        if self.idle and not self._thread.dead:
            self._thread.throw(TimeoutError("the connection made way for another"))

    def _read_request_line(self) -> bytes | str:
        try:
            line: bytes | str = super()._read_request_line()
        except ssl.SSLError as error:
            if error.reason == "HTTP_REQUEST" and self._known_hosts is not None:
                answer_plain_http(self.connection, self._known_hosts)
            return ""  # ends the connection
        self.rfile.allow(HEAD_TIMEOUT_S)
        return line

    def handle_one_response(self) -> None:
        """Let the application answer the request whose head was read."""
        self.idle = False
        self.rfile.allow(BODY_TIMEOUT_S)
        super().handle_one_response()
        time.sleep(0)  # requests sent all at once must not hold up other connections
        self.rfile.allow(KEEP_ALIVE_S)
        self.idle = True
        self._connections.rest(self.client_address[0], self)

    def log_message(self, *_: object) -> None:
        """Say nothing of requests that cannot be read; the base class would print them."""
