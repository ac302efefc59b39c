"""Sends plain http on to https; nothing else is served there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

WsgiApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def redirect_app(https_port: int) -> WsgiApplication:
    """A WSGI application that answers every request with the same address on `https_port`."""

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        location = https_location(environ, https_port)
        start_response("308 Permanent Redirect", [("Location", location), ("Content-Length", "0")])
        return [b""]

    return application


def https_location(environ: dict[str, Any], https_port: int) -> str:
    """The https address of what was asked for; the host is the one that the browser used."""
    host = _without_port(environ.get("HTTP_HOST") or environ["SERVER_NAME"])
    path = quote(environ.get("PATH_INFO", "/"), safe="/%:@!$&'()*+,;=~-._")
    query = environ.get("QUERY_STRING", "")
    return f"https://{host}:{https_port}{path}" + (f"?{query}" if query else "")


def _without_port(host: str) -> str:
    """`lab:8080` -> `lab`, `[::1]:8080` -> `[::1]`."""
    return host[: host.index("]") + 1] if host.startswith("[") else host.rsplit(":", 1)[0]
