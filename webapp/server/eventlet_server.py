"""HTTP on eventlet, held against slow, silent and countless clients.

A client must send a request's head and body in time, idle connections make way for new ones (see
`webapp.server.connections.connection_limits`), and connections that break off are nobody's error. An
`HttpServer` accepts until its listener fails for good, and then raises; eventlet's own loop would go on deaf.

Only `webapp.server` and `wsgi.py` know eventlet.
"""

from __future__ import annotations

import logging
import socket
import ssl
import time
from functools import partial
from typing import Any, cast

import eventlet
from eventlet import greenio, hubs, wsgi

from webapp.config import Settings
from webapp.config.limits import Limits
from webapp.errors import ListenerError, SettingsError
from webapp.metrics import count_refusal, tell_connections
from webapp.server.connections.arrivals import is_gone
from webapp.server.connections.connection_limits import Connections, Handshakes
from webapp.server.connections.descriptors import connection_limit, raise_descriptor_limit
from webapp.server.connections.refusals import TOO_SLOW, RefusedConnections, tell
from webapp.server.connections.timed_streams import CountedWriter, SlowRequestError, TimedReader
from webapp.server.known_hosts import KnownHosts
from webapp.server.tls.certificates import ensure_certificate
from webapp.server.tls.https_redirect import answer_plain_http
from webapp.server.tls.renewals import Renewals
from webapp.server.tls.tls_listener import Listener, TlsListener, tls_context

LISTEN_BACKLOG = 256

logger = logging.getLogger("mien.http")


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
    limits = settings.limits
    limit = connection_limit(limits, raise_descriptor_limit(limits))
    # Behind proxies, all connections have the proxies' addresses.
    connections = Connections(limit, limit if settings.proxies else limits.connections_per_address)
    listener, make_room = listen(settings.host, settings.port), connections.evict_one
    if not settings.https:
        return HttpServer(Listener(listener, make_room), connections, limits), None
    pair = ensure_certificate(settings)
    context = tls_context(pair.certificate, pair.key)
    Renewals(context, pair).start()
    tls_listener = TlsListener(listener, context, make_room)
    handshakes = None if settings.proxies else Handshakes.of_tls(limits)
    server = HttpServer(tls_listener, connections, limits, known_hosts, handshakes)
    if not settings.redirect_port:
        return server, None
    redirects = Listener(listen(settings.host, settings.redirect_port), make_room)
    return server, HttpServer(redirects, connections, limits)


class HttpServer:
    """Accepts connections and answers their requests.

    `connections` may be shared with other servers of this process. On a port that speaks TLS, plain http is
    redirected to https under one of the `known_hosts`, and `handshakes` limits those of an address.
    """

    def __init__(
        self,
        listener: Listener,
        connections: Connections,
        limits: Limits,
        known_hosts: KnownHosts | None = None,
        handshakes: Handshakes | None = None,
    ) -> None:
        self._listener = listener
        self._connections = connections
        self._limits = limits
        self._known_hosts = known_hosts
        self._refused = RefusedConnections()
        self._handshakes = handshakes
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
            keepalive=self._limits.idle_timeout_s,
            socket_timeout=self._limits.send_timeout_s,
        )
        while True:
            try:
                connection, address = self._listener.accept()
            except OSError as error:
                raise ListenerError(f"The server cannot accept connections any more: {error}.") from error
            eventlet.spawn_n(self._answer, connection, address, server)
            time.sleep(0)  # connections that are there already have their turn, however many are new

    def _answer(self, connection: socket.socket, address: tuple[Any, ...], server: wsgi.Server) -> None:
        connection.settimeout(self._limits.send_timeout_s)
        state = [address, connection, wsgi.STATE_IDLE]
        conversation = Conversation(state, server, self._limits, self._known_hosts)
        try:
            limit = self._enter(address[0], conversation)
            if limit is None:
                conversation.run(self._connections)
            else:
                count_refusal(limit)
                self._refused.tell(connection, limit)
        except (OSError, ValueError) as error:  # it broke off, or its socket was closed meanwhile
            logger.debug("a connection ended: %s", error)
        finally:
            self._connections.leave(address[0], conversation)
            tell_connections(len(self._connections))
            greenio.shutdown_safe(connection)
            connection.close()

    def _enter(self, address: str, conversation: Conversation) -> str | None:
        """Count a new connection; or the name of the limit that refuses it."""
        if self._handshakes is not None and not self._handshakes.take(address):
            return "handshakes"
        limit = self._connections.enter(address, conversation)
        tell_connections(len(self._connections))
        return limit


class Conversation(wsgi.HttpProtocol):  # type: ignore[misc]  # eventlet is untyped
    """The requests and responses of one connection."""

    minimum_chunk_size = 1
    """Each piece of a response is sent at once: eventlet would keep a stream's events until they are 4 kB."""

    def __init__(
        self, state: list[Any], server: wsgi.Server, limits: Limits, known_hosts: KnownHosts | None
    ) -> None:
        # Not the base class's constructor, which would answer all requests before it returns.
        self.client_address, self.request, _ = self.conn_state = state
        self.server = server
        self._limits = limits
        self._known_hosts = known_hosts
        self.idle = True
        self._is_first, self._has_begun = True, False
        self._connections: Connections
        self._thread = eventlet.getcurrent()

    def run(self, connections: Connections) -> None:
        """Answer requests until either side ends the connection."""
        self._connections = connections
        self.setup()
        self.rfile = TimedReader(cast(Any, self).rfile)
        self.wfile = CountedWriter(cast(Any, self).wfile)
        self.rfile.allow(self._limits.head_timeout_s)
        try:
            self.handle()
        except SlowRequestError:
            if self._has_begun:
                count_refusal(TOO_SLOW.limit)
                tell(self.connection, TOO_SLOW)
            elif self._is_first:
                count_refusal("silent connections")
        finally:
            self.finish()

    def evict(self) -> None:
        """Close the connection, which is idle."""
        count_refusal("idle connections")
        self._connections.leave(self.client_address[0], self)
        hubs.get_hub().schedule_call_global(0, self._end)

    def _end(self) -> None:
        if self.idle and not self._thread.dead:
            self._thread.throw(ConnectionAbortedError("the connection made way for another"))

    def _read_request_line(self) -> bytes | str:
        try:
            line: bytes | str = super()._read_request_line()
        except ssl.SSLError as error:
            if error.reason == "HTTP_REQUEST" and self._known_hosts is not None:
                answer_plain_http(self.connection, self._known_hosts)
            return ""  # ends the connection
        self._is_first, self._has_begun = False, bool(line)
        self.rfile.allow(self._limits.head_timeout_s)
        return line

    def get_environ(self) -> dict[str, Any]:
        """What the application is told of a request.

        Large bodies may ask for more time as they arrive, long responses whether the client is gone.
        """
        environ: dict[str, Any] = super().get_environ()
        environ["mien.more_time"] = self.rfile.allow
        environ["mien.is_gone"] = partial(is_gone, self.connection)
        if environ.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked":
            # Without this, a body without Content-Length is taken to be empty.
            environ["wsgi.input_terminated"] = True
        return environ

    def handle_one_response(self) -> None:
        """Let the application answer the request whose head was read."""
        self.idle = False
        self.rfile.allow(self._limits.body_timeout_s)
        super().handle_one_response()
        self.environ: dict[str, Any] = {}  # refers to this conversation, which would outlive its end by that
        if self.rfile.is_late:
            count_refusal(TOO_SLOW.limit)
        time.sleep(0)  # requests sent all at once must not hold up other connections
        self.rfile.allow(self._limits.idle_timeout_s)
        self.idle, self._has_begun = True, False
        self._connections.rest(self.client_address[0], self)

    def log_message(self, *_: object) -> None:
        """Say nothing of requests that cannot be read; the base class would print them."""
