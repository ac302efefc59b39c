"""The server: `python wsgi.py`, with settings from `MIEN_` variables (docs/settings.md).

One process serves with eventlet; the workers that it starts import none of this. Only this module and
`webapp.server.websocket` know eventlet.
"""

from __future__ import annotations

import logging
import signal
import socket
import ssl
import sys
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from webapp.accounts.hosts import Hosts
    from webapp.config import Settings

LISTEN_BACKLOG = 256

logger = logging.getLogger("mien")


def main() -> None:
    """Serve until Ctrl-C or SIGTERM."""
    with warnings.catch_warnings():
        # eventlet announces its own end on import; docs/decisions says why it is used all the same.
        warnings.filterwarnings("ignore", r"\s*Eventlet is deprecated")
        import eventlet

    eventlet.monkey_patch()  # before anything else imports sockets or threads

    from webapp.config import Settings
    from webapp.errors import MienError

    try:
        settings = Settings.from_env()
        logging.basicConfig(
            level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
        )
        serve(settings)
    except MienError as error:
        sys.exit(f"mien: {error}")


def serve(settings: Settings) -> None:
    """Start the workers, listen, and say where."""
    import eventlet

    from webapp.app import create_app
    from webapp.server import certificates, websocket
    from webapp.server import startup_banner as announce
    from webapp.server.https_redirect import redirect_app
    from webapp.server.tls_listener import TlsListener, tls_context

    websocket.install()
    listener: Any = listen(settings.host, settings.port)
    if settings.https:
        pair = certificates.ensure_certificate(settings)
        listener = TlsListener(listener, tls_context(pair.certificate, pair.key))
        if settings.redirect_port:
            redirects = listen(settings.host, settings.redirect_port)
            eventlet.spawn(run_server, redirects, redirect_app(settings.port))
    app = create_app(settings)
    parts = app.extensions["parts"]
    stop_signals = catch_stop_signals()
    for part in parts:
        part.start()
    try:
        eventlet.spawn(run_server, listener, app, "https" if settings.https else "http")
        print(announce.serving_lines(settings), flush=True)
        eventlet.spawn(announce_hosts, settings, app.extensions["hosts"])
        stop_signals.recv(1)
        logger.info("stopping")
    finally:
        for part in reversed(parts):
            part.stop()


def announce_hosts(settings: Settings, hosts: Hosts) -> None:
    """Print where hosts sign in, as soon as the store can tell whether there are any."""
    from webapp.errors import StoreError
    from webapp.server import startup_banner as announce

    try:
        token = hosts.first_token()
    except StoreError as error:
        logger.error("Rooms cannot be used: %s The live page works without them.", error)
    else:
        print(announce.host_lines(settings, token), flush=True)


def catch_stop_signals() -> socket.socket:
    """A socket that has a byte to read after Ctrl-C or SIGTERM; further ones change nothing.

    An exception raised by a signal would come up in whatever green thread runs, and there be taken for that
    thread's own failure.
    """
    receiver, sender = socket.socketpair()
    signal.set_wakeup_fd(sender.detach(), warn_on_full_buffer=False)
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, lambda *_: None)
    return receiver


def listen(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        SettingsError: the address is taken, or not this machine's.
    """
    import eventlet

    from webapp.errors import SettingsError

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener: socket.socket = eventlet.listen((host, port), family=family, backlog=LISTEN_BACKLOG)
    except OSError as error:
        raise SettingsError(
            f"Cannot listen on {host} port {port}: {error.strerror}. "
            "Another program may use it; choose another with MIEN_HOST and MIEN_PORT (or MIEN_REDIRECT_PORT)."
        ) from error
    return listener


def run_server(listener: socket.socket, application: Any, scheme: str = "http") -> None:  # noqa: ANN401
    """Answer requests to a WSGI application for ever; they are not logged, errors do not go to the browser.

    eventlet knows its own TLS listener only, so `scheme` says what browsers speak.
    """
    from eventlet import greenpool, wsgi

    greenpool.DEBUG = False  # no traceback for every browser that breaks off a TLS handshake
    log = logging.getLogger("mien.http")
    wsgi.server(
        listener,
        application,
        log=log,
        log_output=False,
        debug=False,
        protocol=http_protocol(),
        environ={"wsgi.url_scheme": scheme},
    )


def http_protocol() -> type:
    """HTTP as eventlet speaks it, with an answer for browsers that speak plain http to the https port."""
    from eventlet import wsgi

    from webapp.server.https_redirect import answer_plain_http

    class Protocol(wsgi.HttpProtocol):  # type: ignore[misc]  # eventlet is untyped
        def _read_request_line(self) -> bytes | str:
            try:
                line: bytes | str = super()._read_request_line()
            except ssl.SSLError as error:
                if error.reason == "HTTP_REQUEST":
                    answer_plain_http(self.connection)
                return ""  # ends the connection
            return line

    return Protocol


if __name__ == "__main__":
    main()
