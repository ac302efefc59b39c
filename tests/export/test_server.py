"""Exports over HTTP beside a room in which people join."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator

import pytest
import requests

from tests.helpers.long_recording import add_recording
from tests.helpers.room_client import TOKEN, ParticipantClient, api, export, make_room
from tests.helpers.serving import Server

LONG = "LANG2345"
LONG_S = 120
"""More than the buffers of a socket hold."""

ASKED = 16
AT_ONCE = 2
WAIT_S = 30.0


@pytest.fixture(scope="module")
def room_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    url = f"sqlite:///{tmp_path_factory.mktemp('database') / 'mien.sqlite'}"
    add_recording(url, LONG, LONG_S)
    patient = {"MIEN_SEND_TIMEOUT_S": "300"}  # a download may stall for as long as a test needs
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN, MIEN_DATABASE_URL=url, **patient) as running:
        yield running


class StalledDownload:
    """Asks for an export, reads how the answer begins, and no more."""

    def __init__(self, server: Server) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.settimeout(WAIT_S)
        self._socket.connect(("127.0.0.1", server.port))
        self._socket.sendall(
            f"GET /api/v1/rooms/{LONG}/export.zip HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
            f"Authorization: Bearer {TOKEN}\r\n\r\n".encode()
        )

    def status(self) -> int:
        return int(self._socket.recv(12).split()[1])

    def close(self) -> None:
        self._socket.close()


def open_as_host(server: Server, path: str) -> requests.Response:
    """What a browser gets that follows a link to an address of the API."""
    headers = {
        "Authorization": f"Bearer {TOKEN}",
        "Sec-Fetch-Mode": "navigate",
        "Accept": "text/html,*/*;q=0.8",
    }
    return requests.get(f"{server.url}/api/v1{path}", headers=headers, timeout=WAIT_S)


def wait_for_export(server: Server) -> requests.Response:
    """Ask again as long as others run; the answer."""
    start_s = time.monotonic()
    while (answer := api(server, "GET", f"/rooms/{LONG}/export.zip")).status_code == 503:
        assert time.monotonic() - start_s < WAIT_S
        time.sleep(0.2)
    return answer


def test_beside_many_stalled_downloads_people_join_and_others_are_told_to_wait(room_server: Server) -> None:
    room = make_room(room_server)
    downloads = [StalledDownload(room_server) for _ in range(ASKED)]
    with ParticipantClient(room_server) as one:
        assert "participant" in one.join(room)
    assert sorted(download.status() for download in downloads) == [200] * AT_ONCE + [503] * (ASKED - AT_ONCE)
    refused = api(room_server, "GET", f"/rooms/{room}/export.zip")
    assert (refused.status_code, refused.json()["problem"]["code"]) == (503, "busy")
    assert int(refused.headers["Retry-After"]) > 0
    page = open_as_host(room_server, f"/rooms/{room}/export.zip")
    assert (page.status_code, page.headers["Retry-After"]) == (503, refused.headers["Retry-After"])
    assert "Other exports are running" in page.text and "<!doctype html>" in page.text
    for download in downloads:
        download.close()
    assert wait_for_export(room_server).status_code == 200


def test_asking_for_the_headers_alone_holds_no_slot(room_server: Server) -> None:
    for _ in range(2 * AT_ONCE):
        assert api(room_server, "HEAD", f"/rooms/{LONG}/export.zip").status_code == 200
    assert set(export(room_server, LONG)) >= {"samples.csv", "report.html"}


def test_a_download_that_breaks_off_does_not_look_whole(room_server: Server) -> None:
    url = f"{room_server.url}/api/v1/rooms/{LONG}/export.zip"
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with requests.get(url, headers=headers, stream=True, timeout=WAIT_S) as answer:
        pieces = answer.iter_content(1024)
        assert next(pieces)
        os.kill(room_server.store_pid(), signal.SIGKILL)
        with pytest.raises(requests.exceptions.RequestException):
            list(pieces)
    assert wait_for_export(room_server).status_code == 200, "the next store gives it whole"
