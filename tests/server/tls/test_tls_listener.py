"""The https listener of a real server, against what goes wrong before a request begins."""

from __future__ import annotations

import socket
import ssl
import struct
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import websocket

from tests.helpers.serving import Server, free_port

TIMEOUT_S = 30
"""Generous: it only decides how soon a failure is known."""


@pytest.fixture(scope="module")
def https_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data_dir = tmp_path_factory.mktemp("instance")
    redirect_port = str(free_port())
    settings = {"MIEN_HTTPS": "1", "MIEN_DATA_DIR": str(data_dir), "MIEN_REDIRECT_PORT": redirect_port}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # requests warns of the certificate that the server just made
        with Server(MIEN_WORKERS="1", **settings) as server:
            yield server


def connect(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=TIMEOUT_S)


def verified_status(server: Server, path: str = "/healthz") -> int:
    data_dir = Path(server.settings["MIEN_DATA_DIR"])
    (authority,) = data_dir.rglob("*authority*.crt")
    return requests.get(server.url + path, verify=str(authority), timeout=TIMEOUT_S).status_code


def test_a_client_that_trusts_the_authority_gets_in_without_a_warning(https_server: Server) -> None:
    assert verified_status(https_server) == 200


def test_connections_that_are_reset_at_once_do_not_end_the_server(https_server: Server) -> None:
    for _ in range(200):
        with connect(https_server) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert verified_status(https_server) == 200


def test_clients_that_say_nothing_do_not_hold_up_the_others(https_server: Server) -> None:
    silent = [connect(https_server) for _ in range(20)]
    assert verified_status(https_server) == 200
    for connection in silent:
        connection.close()


@pytest.mark.parametrize("said", [b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\0" * 500])
def test_what_is_not_tls_is_closed_and_the_server_stays(https_server: Server, said: bytes) -> None:
    with connect(https_server) as connection:
        connection.sendall(said)
        assert b"HTTP/1.1 200" not in connection.recv(1000)
    assert verified_status(https_server) == 200


def test_plain_http_spoken_to_the_https_port_is_redirected(https_server: Server) -> None:
    plain = https_server.url.replace("https://", "http://")
    answer = requests.get(plain + "/healthz", allow_redirects=False, timeout=TIMEOUT_S)
    assert (answer.status_code, answer.headers["Location"]) == (307, https_server.url + "/")


def test_a_protocol_older_than_tls_1_2_is_refused(https_server: Server) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with connect(https_server) as connection, pytest.raises((ssl.SSLError, ConnectionError)):
        context.wrap_socket(connection, server_hostname="localhost")


def test_plain_http_is_redirected_to_https(https_server: Server) -> None:
    port = https_server.settings["MIEN_REDIRECT_PORT"]
    answer = requests.get(f"http://127.0.0.1:{port}/page?x=1", allow_redirects=False, timeout=TIMEOUT_S)
    assert answer.status_code in (301, 302, 307, 308)
    assert answer.headers["Location"] == f"https://127.0.0.1:{https_server.port}/page?x=1"


@pytest.mark.parametrize(("scheme", "taken"), [("https", True), ("http", False)])
def test_the_page_over_https_may_open_its_websocket(https_server: Server, scheme: str, taken: bool) -> None:
    """Browsers name the page's origin; the server takes its own alone."""
    url = f"wss://127.0.0.1:{https_server.port}/socket.io/?EIO=4&transport=websocket"
    origin = f"{scheme}://127.0.0.1:{https_server.port}"
    unverified = {"cert_reqs": ssl.CERT_NONE}
    if taken:
        websocket.create_connection(url, origin=origin, sslopt=unverified, timeout=TIMEOUT_S).close()
    else:
        with pytest.raises(websocket.WebSocketBadStatusException, match="400"):
            websocket.create_connection(url, origin=origin, sslopt=unverified, timeout=TIMEOUT_S)
