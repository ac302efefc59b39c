"""The names and addresses that this server goes by, and a refusal of requests under any other.

A page elsewhere whose name is made to lead here (DNS rebinding) would otherwise pass for our own, and links
to rooms would carry whatever name a request claims.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from webapp.codec import PROBLEM_MEDIA_TYPE, problem_details
from webapp.config import Settings
from webapp.metrics import count_refusal
from webapp.server.addresses import host_names, name_in, network_addresses

LOOK_INTERVAL_S = 1.0
"""An address may be new, from the network's router: the adapters are asked anew, this often at most."""

EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, not listened on
"""What a server may listen on, but nobody should call it by."""

WARNING_INTERVAL_S = 60.0

MISDIRECTED = "421 Misdirected Request"

HEALTH_CHECKS = ("/healthz", "/readyz")
"""Load balancers ask for these under whatever address they know."""

WsgiApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

logger = logging.getLogger(__name__)


class KnownHosts:
    """Knows this machine's names and addresses, `MIEN_HOST`, `MIEN_KNOWN_HOSTS` and the `certified` names.

    Safe on threads: the addresses are replaced as a whole.
    """

    def __init__(
        self,
        settings: Settings,
        certified: Iterable[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        named = [*host_names(), *settings.known_hosts, *certified, settings.host]
        self._names = frozenset(name_in(name) for name in named) - EVERYWHERE
        self._addresses: frozenset[str] = frozenset()
        self._clock = clock
        self._looked_s: float | None = None
        self._looking = threading.Lock()

    def __contains__(self, host: object) -> bool:
        """Whether `host` or `host:port`, as a URL or the Host header has it, means this server."""
        name = name_in(host) if isinstance(host, str) else ""
        return bool(name) and (self._is_named(name) or _is_loopback(name) or self._is_own_address(name))

    def _is_named(self, name: str) -> bool:
        """Whether it is one of the names; `*.lab.example` stands for one label, as in certificates."""
        return name in self._names or f"*.{name.partition('.')[2]}" in self._names

    def _is_own_address(self, name: str) -> bool:
        return _is_address(name) and (name in self._addresses or name in self._look_anew())

    def _look_anew(self) -> frozenset[str]:
        with self._looking:
            if self._looked_s is None or self._clock() - self._looked_s >= LOOK_INTERVAL_S:
                self._looked_s = self._clock()
                self._addresses = frozenset(map(str, network_addresses()))
            return self._addresses


class HostCheck:
    """A WSGI application that passes on requests for a known host, and tells the others what to do."""

    def __init__(self, application: WsgiApplication, known: KnownHosts) -> None:
        self._application = application
        self._known = known
        self._warned_s: float | None = None

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Pass a request on, or refuse it."""
        environ.pop("HTTP_X_FORWARDED_HOST", None)  # clients may send it; proxies hand on `Host` itself
        host = environ.get("HTTP_HOST") or environ.get("SERVER_NAME", "")
        if host in self._known or environ.get("PATH_INFO") in HEALTH_CHECKS:
            return self._application(environ, start_response)
        self._warn(host)
        count_refusal("host names")
        return refuse_host(host, start_response, as_json=is_api(environ.get("PATH_INFO", "")))

    def _warn(self, host: str) -> None:
        now_s = time.monotonic()
        if self._warned_s is None or now_s - self._warned_s >= WARNING_INTERVAL_S:
            self._warned_s = now_s
            logger.warning("a request under another name was refused: %s", advice(host))


def is_api(path: str) -> bool:
    """Whether a path is for programs, which get problems as JSON."""
    return path == "/api" or path.startswith("/api/")


def advice(host: str) -> str:
    """What to do where a server refuses its own name."""
    shown = ascii(host[:100])
    name = name_in(host)[:100]
    setting = (
        f"MIEN_KNOWN_HOSTS={name}" if name.isascii() and name.isprintable() and name else "MIEN_KNOWN_HOSTS"
    )
    return (
        f"This server does not go by the name {shown}. If it is its name, or that of a proxy in front of it, "
        f"start it with {setting} (docs/settings.md). Otherwise open it under its own name or address."
    )


def refuse_host(host: str, start_response: Callable[..., Any], as_json: bool = False) -> list[bytes]:
    """The response under a name that is not this server's; plain text, as anybody chooses the name."""
    text = advice(host)
    body = (json.dumps(problem_details(421, "unknown_host", text)) if as_json else f"{text}\n").encode()
    kind = PROBLEM_MEDIA_TYPE if as_json else "text/plain; charset=utf-8"
    headers = [
        ("Content-Type", kind),
        ("Content-Length", str(len(body))),
        ("X-Content-Type-Options", "nosniff"),
        ("Cache-Control", "no-store"),
    ]
    start_response(MISDIRECTED, headers)
    return [body]


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_loopback(name: str) -> bool:
    return _is_address(name) and ipaddress.ip_address(name).is_loopback
