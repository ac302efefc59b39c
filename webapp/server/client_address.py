"""The client's address behind reverse proxies, from the `X-Forwarded-For` header."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from typing import Any

HEADER = "HTTP_X_FORWARDED_FOR"

Environ = dict[str, Any]
Application = Callable[[Environ, Any], Iterable[bytes]]


class ClientAddress:
    """A WSGI application that replaces the nearest proxy's address with the client's.

    Each of the `proxies` appends an address to the header; what comes before may be the client's invention.
    Where the header names no client, the address is empty. It is never the proxy's: that may be this
    machine's, whose programs have more rights.
    """

    def __init__(self, application: Application, proxies: int) -> None:
        self._application = application
        self._proxies = proxies

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:  # noqa: ANN401 - WSGI
        """Answer a request. One without the header does not come from a proxy, and keeps its address."""
        named = environ.get(HEADER)
        if named is not None:
            environ["REMOTE_ADDR"] = client_address(named, self._proxies)
        return self._application(environ, start_response)


def client_address(named: str, proxies: int) -> str:
    """The client's address in a header to which so many proxies appended; empty if there is none."""
    addresses = named.split(",")
    return _address(addresses[-proxies].strip()) if len(addresses) >= proxies else ""


def _address(text: str) -> str:
    """An address, which may come with a port; empty if it is none."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""
