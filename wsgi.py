"""The server: `python wsgi.py`, with settings from `MIEN_` variables (docs/settings.md).

One process serves with eventlet; the workers that it starts import none of this. Only this module,
`webapp.server.eventlet_server` and `webapp.server.websocket` know eventlet.
"""

from __future__ import annotations

import logging
import signal
import socket
import sys
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eventlet.event import Event

    from webapp.accounts.hosts import Hosts
    from webapp.config import Settings
    from webapp.server.eventlet_server import HttpServer

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
    from webapp.server.log_limits import start_logging

    try:
        settings = Settings.from_env()
        start_logging(settings.log_level)
        serve(settings)
    except MienError as error:
        sys.exit(f"mien: {error}")


def serve(settings: Settings) -> None:
    """Start the workers, listen, and say where.

    Raises:
        ListenerError: a port could not be served any more.
    """
    import eventlet
    from eventlet.event import Event

    from webapp.app import create_app
    from webapp.server import certificates, websocket
    from webapp.server import startup_banner as announce
    from webapp.server.data_dir import prepare_data_dir
    from webapp.server.eventlet_server import open_ports
    from webapp.server.https_redirect import redirect_app

    prepare_data_dir(settings.data_dir)
    app = create_app(settings)
    known_hosts = app.extensions["known_hosts"]
    websocket.install()
    server, redirects = open_ports(settings, known_hosts)
    parts = app.extensions["parts"]
    end = Event()
    eventlet.spawn(await_stop_signal, catch_stop_signals(), end)
    for part in parts:
        part.start()
    try:
        eventlet.spawn(run_server, server, app, end)
        if redirects is not None:
            eventlet.spawn(run_server, redirects, redirect_app(settings.port, known_hosts), end)
        print(announce.serving_lines(settings, certificates.authority_fingerprint(settings)), flush=True)
        eventlet.spawn(announce_hosts, settings, app.extensions["hosts"])
        end.wait()
        logger.info("stopping")
    finally:
        for part in reversed(parts):
            part.stop()


def run_server(server: HttpServer, application: object, end: Event) -> None:
    """Serve an application; a server that fails ends the process."""
    from webapp.errors import ListenerError

    try:
        server.run(application)
    except ListenerError as error:
        logger.critical("%s Ending.", error)
        if not end.ready():
            end.send_exception(error)


def announce_hosts(settings: Settings, hosts: Hosts) -> None:
    """Print where hosts sign in, as soon as the store can tell whether there are any."""
    from webapp.errors import StoreError
    from webapp.server import startup_banner as announce

    try:
        token = hosts.made_token()
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


def await_stop_signal(receiver: socket.socket, end: Event) -> None:
    """End the serving when a signal to stop arrives."""
    receiver.recv(1)
    if not end.ready():
        end.send()


if __name__ == "__main__":
    main()
