from __future__ import annotations

import pytest

from webapp.server.https_redirect import https_location, plain_http_answer


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
    assert b"307 Temporary Redirect\r\nLocation: https://lab-pc:8443/\r\n" in plain_http_answer(remainder)


@pytest.mark.parametrize("remainder", [b"", b" HTTP/1.0\r\n\r\n", b"\r\nHost: \xff\r\n"])
def test_without_a_host_it_says_in_words_what_the_port_speaks(remainder: bytes) -> None:
    assert plain_http_answer(remainder).endswith(b"This port speaks https.\n")
