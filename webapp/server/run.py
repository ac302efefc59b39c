"""Runs an application until Ctrl-C or SIGTERM: opens the ports, serves, and says where."""

from __future__ import annotations

import logging
import os
import signal
import socket
from contextlib import AbstractContextManager
from typing import Protocol

import eventlet
from eventlet.event import Event

from webapp.config import Settings
from webapp.errors import ListenerError, StoreError
from webapp.server import websocket
from webapp.server.eventlet_server import HttpServer, open_ports
from webapp.server.known_hosts import KnownHosts, WsgiApplication
from webapp.server.startup_banner import host_lines, serving_lines
from webapp.server.tls.certificates import authority_fingerprint
from webapp.server.tls.https_redirect import redirect_app

STOP_TIMEOUT_S = 9.5

logger = logging.getLogger("mien")


class Servable(Protocol):
    """What can be served."""

    @property
    def flask(self) -> WsgiApplication:
        """The WSGI application."""

    @property
    def known_hosts(self) -> KnownHosts:
        """The names that the server goes by."""

    def running(self) -> AbstractContextManager[None]:
        """Runs everything that requests need."""

    def drain(self) -> None:
        """Sends everybody away, before the end."""

    def made_token(self) -> str | None:
        """The token for the first account, if this start made one; raises a StoreError."""


def serve(application: Servable, settings: Settings) -> None:
    """Listen, run the application, and print where it is.

    Raises:
        SettingsError, CertificateError: a port, the data folder or the certificate cannot be used.
        ListenerError: a port could not be served any more.
    """
    websocket.install(settings.limits)
    server, redirects = open_ports(settings, application.known_hosts)
    end = Event()
    eventlet.spawn(_await_stop_signal, _catch_stop_signals(), end)
    with application.running():
        eventlet.spawn(_run_server, server, application.flask, end)
        if redirects is not None:
            redirecting = redirect_app(settings.port, application.known_hosts)
            eventlet.spawn(_run_server, redirects, redirecting, end)
        print(serving_lines(settings, authority_fingerprint(settings)), flush=True)
        eventlet.spawn(_announce_hosts, settings, application)
        end.wait()
        logger.info("stopping")
        _end_within(STOP_TIMEOUT_S)
        application.drain()


def _run_server(server: HttpServer, application: WsgiApplication, end: Event) -> None:
    """Serve an application; a server that fails ends the process."""
    try:
        server.run(application)
    except ListenerError as error:
        logger.critical("%s Ending.", error)
        if not end.ready():
            end.send_exception(error)


def _announce_hosts(settings: Settings, application: Servable) -> None:
    """Print where hosts sign in, as soon as the store can tell whether there are any."""
    try:
        token = application.made_token()
    except StoreError as error:
        logger.error("Rooms cannot be used: %s The live page works without them.", error)
    else:
        print(host_lines(settings, token), flush=True)


def _end_within(seconds: float) -> None:
    """End this process then, whatever hangs: its children end with it, and nothing acknowledged is lost."""

    def give_up(*_: object) -> None:
        logger.critical("the parts did not end in time")
        os._exit(1)

    signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def _catch_stop_signals() -> socket.socket:
    """A socket that has a byte to read after Ctrl-C or SIGTERM; further ones change nothing.

    An exception raised by a signal would come up in whatever green thread runs, and be taken there for that
    thread's own failure.
    """
    receiver, sender = socket.socketpair()
    signal.set_wakeup_fd(sender.detach(), warn_on_full_buffer=False)
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, lambda *_: None)
    return receiver


def _await_stop_signal(receiver: socket.socket, end: Event) -> None:
    """End the serving when a signal to stop arrives."""
    receiver.recv(1)
    if not end.ready():
        end.send()
