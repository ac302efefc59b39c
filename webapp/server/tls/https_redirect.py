"""Sends plain http on to https; nothing else is served there."""

from __future__ import annotations

import contextlib
import os
import re
import ssl
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

from webapp.server.addresses import without_port
from webapp.server.known_hosts import KnownHosts, WsgiApplication, refuse_host

TEMPORARY = "307 Temporary Redirect"
"""Browsers keep permanent ones for years, also for another program that uses the port later."""

HOST_HEADER = re.compile(rb"\r\nhost:[ \t]*([\w.:\[\]-]+)", re.IGNORECASE)


def redirect_app(https_port: int, known_hosts: KnownHosts) -> WsgiApplication:
    """A WSGI application that answers every request with the same address on `https_port`, if it is ours."""

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        host = _host_of(environ)
        if host not in known_hosts:
            return refuse_host(host, start_response)
        location = https_location(environ, https_port)
        start_response(TEMPORARY, [("Location", location), ("Content-Length", "0")])
        return [b""]

    return application


def https_location(environ: dict[str, Any], https_port: int) -> str:
    """The https address of what was asked for; the host is the one that the browser used."""
    host = without_port(_host_of(environ))
    path = quote(environ.get("PATH_INFO", "/"), safe="/%:@!$&'()*+,;=~-._")
    query = environ.get("QUERY_STRING", "")
    return f"https://{host}:{https_port}{path}" + (f"?{query}" if query else "")


def answer_plain_http(connection: ssl.SSLSocket, known_hosts: KnownHosts) -> None:
    """Send a browser on to https that spoke plain http to the https port, where TLS took its first bytes.

    What TLS left of the request has the name of this server as the browser knows it. The socket beneath
    does not block; a response that does not fit is of no use to anyone.
    """
    with contextlib.suppress(OSError):
        remainder = os.read(connection.fileno(), 65536)
        os.write(connection.fileno(), plain_http_answer(remainder, known_hosts))


def plain_http_answer(request: bytes, known_hosts: KnownHosts) -> bytes:
    """The response to what is left of a request: the https address, or a text if it names no host of ours."""
    found = HOST_HEADER.search(request)
    host = found[1].decode(errors="replace") if found else ""
    if host not in known_hosts:
        status, header, body = "400 Bad Request", "", "This port speaks https.\n"
    else:
        status, header, body = TEMPORARY, f"Location: https://{host}/\r\n", ""
    head = f"HTTP/1.1 {status}\r\n{header}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return (head + body).encode()


def _host_of(environ: dict[str, Any]) -> str:
    """The host that the browser used."""
    host: str = environ.get("HTTP_HOST") or environ["SERVER_NAME"]
    return host
