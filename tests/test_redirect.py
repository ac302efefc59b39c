from __future__ import annotations

import pytest

from webapp.redirect import https_location


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
