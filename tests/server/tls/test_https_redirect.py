from __future__ import annotations

import pytest

from webapp.config import Settings
from webapp.server.known_hosts import KnownHosts
from webapp.server.tls.https_redirect import https_location, plain_http_answer, redirect_app

KNOWN = KnownHosts(Settings(known_hosts=("lab-pc",)))


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"HTTP_HOST": "lab:8080", "PATH_INFO": "/"}, "https://lab:8443/"),
        ({"HTTP_HOST": "lab", "PATH_INFO": "/a b", "QUERY_STRING": "x=1"}, "https://lab:8443/a%20b?x=1"),
        ({"HTTP_HOST": "[::1]:8080", "PATH_INFO": "/"}, "https://[::1]:8443/"),
        ({"SERVER_NAME": "192.0.2.7", "PATH_INFO": "/"}, "https://192.0.2.7:8443/"),
    ],
)
def test_the_host_the_path_and_the_query_stay(environ: dict[str, str], expected: str) -> None:
    assert https_location(environ, 8443) == expected


def test_plain_http_on_the_https_port_is_sent_to_the_name_that_the_browser_used() -> None:
    remainder = b"page HTTP/1.1\r\nAccept: */*\r\nHost: lab-pc:8443\r\n\r\n"
    assert b"307 Temporary Redirect\r\nLocation: https://lab-pc:8443/\r\n" in plain_http_answer(
        remainder, KNOWN
    )


@pytest.mark.parametrize(("host", "status"), [("lab-pc:8080", "307"), ("evil.example", "421"), ("", "421")])
def test_plain_http_is_sent_on_under_names_of_this_server_only(host: str, status: str) -> None:
    answered: list[str] = []
    environ = {"HTTP_HOST": host, "SERVER_NAME": "0.0.0.0", "PATH_INFO": "/"}
    redirect_app(8443, KNOWN)(environ, lambda line, headers: answered.append(line))
    assert answered[0].startswith(status)


@pytest.mark.parametrize(
    "remainder",
    [b"", b" HTTP/1.0\r\n\r\n", b"\r\nHost: \xff\r\n", b"page HTTP/1.1\r\nHost: evil.example\r\n\r\n"],
)
def test_without_a_host_of_ours_it_says_in_words_what_the_port_speaks(remainder: bytes) -> None:
    assert plain_http_answer(remainder, KNOWN).endswith(b"This port speaks https.\n")
