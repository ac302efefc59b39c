"""Images over HTTP: who may send them, how large they may be, what is found; live frames come first."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
import requests
from PIL import Image

from tests.helpers.group_photos import MEGAPIXELS_12, group_photo
from tests.helpers.room_client import TIMEOUT_S, TOKEN, SocketClient
from tests.helpers.serving import Server
from tests.vision.images import overlap
from webapp.protocol import Box

ELSEWHERE = "198.51.100.7"
PER_MINUTE = 3


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """One behind a proxy, so that requests can come from anywhere."""
    settings = {"MIEN_PROXIES": "1", "MIEN_ANALYZE_PER_MINUTE": str(PER_MINUTE)}
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN, **settings) as running:
        yield running


def upload(server: Server, image: bytes, **headers: str) -> requests.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.post(
        f"{server.url}/api/v1/analyze", files={"image": image}, headers=named, timeout=2 * TIMEOUT_S
    )


def test_this_machine_needs_no_key_and_has_no_limit(server: Server, astronaut_jpeg: bytes) -> None:
    for _ in range(PER_MINUTE + 2):
        assert upload(server, astronaut_jpeg, X_Forwarded_For="127.0.0.1").status_code == 200


def test_an_upload_of_unknown_length_is_read(server: Server, astronaut_jpeg: bytes) -> None:
    prepared = requests.Request("POST", "http://x", files={"image": astronaut_jpeg}).prepare()
    assert isinstance(prepared.body, bytes)
    body = [prepared.body[start : start + 9000] for start in range(0, len(prepared.body), 9000)]
    headers = {"Content-Type": prepared.headers["Content-Type"], "X-Forwarded-For": "127.0.0.1"}
    answer = requests.post(
        f"{server.url}/api/v1/analyze", data=iter(body), headers=headers, timeout=2 * TIMEOUT_S
    )
    assert answer.request.headers["Transfer-Encoding"] == "chunked"
    assert answer.status_code == 200 and len(answer.json()["faces"]) == 1


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none", None])
def test_other_machines_need_a_key_and_are_told_how_to_get_one(
    server: Server, astronaut_jpeg: bytes, site: str | None
) -> None:
    headers = {"Sec_Fetch_Site": site} if site else {}
    answer = upload(server, astronaut_jpeg, X_Forwarded_For=ELSEWHERE, **headers)
    assert (answer.status_code, answer.json()["problem"]["code"]) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "scope analyze" in answer.json()["detail"] and "account page" in answer.json()["detail"]
    assert answer.json()["seq"] == 0


def test_a_wrong_key_is_told_so_also_on_this_machine(server: Server, astronaut_jpeg: bytes) -> None:
    answer = upload(server, astronaut_jpeg, X_Forwarded_For="127.0.0.1", Authorization="Bearer mien_wrong")
    assert answer.status_code == 401


def test_the_token_opens_it_from_everywhere(server: Server, astronaut_jpeg: bytes) -> None:
    answer = upload(server, astronaut_jpeg, X_Forwarded_For=ELSEWHERE, Authorization=f"Bearer {TOKEN}")
    assert answer.json()["faces"][0]["expression"] == "happy"


@pytest.mark.parametrize("by", ["Sec_Fetch_Site", "Origin"])
def test_pages_of_the_server_may_analyze_a_limited_number_a_minute_from_each_address(
    server: Server, astronaut_jpeg: bytes, by: str
) -> None:
    header = {by: "same-origin" if by == "Sec_Fetch_Site" else server.url}
    address = f"203.0.113.{len(by)}"
    answers = [
        upload(server, astronaut_jpeg, X_Forwarded_For=address, **header) for _ in range(PER_MINUTE + 1)
    ]
    assert [answer.status_code for answer in answers] == [*PER_MINUTE * [200], 429]
    assert answers[-1].json()["problem"]["code"] == "too_many_attempts"
    assert answers[-1].headers["Retry-After"] == "60"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_page_of_another_site_that_is_open_on_this_machine_needs_a_key(
    server: Server, astronaut_jpeg: bytes, site: str
) -> None:
    assert upload(server, astronaut_jpeg).status_code == 200, "programs need none"
    assert upload(server, astronaut_jpeg, Sec_Fetch_Site=site).status_code == 403


def test_without_a_declared_proxy_a_forwarded_request_is_not_this_machines(astronaut_jpeg: bytes) -> None:
    with Server(MIEN_WORKERS="1") as server:
        assert upload(server, astronaut_jpeg).status_code == 200
        for header in ("X_Forwarded_For", "X_Forwarded_Proto", "X_Real_IP", "Forwarded", "Via"):
            assert upload(server, astronaut_jpeg, **{header: "127.0.0.1"}).status_code == 401


def test_a_setting_opens_it_to_everybody(astronaut_jpeg: bytes) -> None:
    with Server(MIEN_WORKERS="1", MIEN_PROXIES="1", MIEN_OPEN_ANALYZE="1") as server:
        assert upload(server, astronaut_jpeg, X_Forwarded_For=ELSEWHERE).status_code == 200


def encoded(image: np.ndarray, extension: str = ".jpg") -> bytes:
    return bytes(cv2.imencode(extension, image)[1])


def test_in_a_photograph_of_12_megapixels_faces_of_40_pixels_are_found(server: Server) -> None:
    image, boxes = group_photo(MEGAPIXELS_12, (40, 45, 60, 90, 180, 400))
    answer = upload(server, encoded(image))
    assert answer.status_code == 200, answer.text
    assert (answer.json()["width"], answer.json()["height"]) == MEGAPIXELS_12
    found = [Box(*face["box"]) for face in answer.json()["faces"]]
    assert [box for box in boxes if not any(overlap(box, one) > 0.4 for one in found)] == []


def test_a_photograph_is_turned_as_its_exif_data_say(server: Server, astronaut_jpeg: bytes) -> None:
    image = Image.open(io.BytesIO(astronaut_jpeg)).resize((900, 700)).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # the top of the scene is on the right
    file = io.BytesIO()
    image.save(file, "JPEG", exif=exif)
    answer = upload(server, file.getvalue()).json()
    assert (answer["width"], answer["height"]) == (900, 700)
    assert len(answer["faces"]) == 1 and abs(answer["faces"][0]["pose"]["roll"]) < 30


@pytest.mark.parametrize("extension", [".jpg", ".png", ".webp"])
def test_every_documented_format_is_read(server: Server, extension: str) -> None:
    image, _ = group_photo((1000, 800), (200,))
    assert len(upload(server, encoded(image, extension)).json()["faces"]) == 1


def test_more_pixels_than_the_setting_are_refused_before_they_are_decoded(server: Server) -> None:
    flat = encoded(np.zeros((8000, 7000, 3), np.uint8), ".png")
    assert len(flat) < 1_000_000
    started_s = time.monotonic()
    answer = upload(server, flat)
    assert (answer.status_code, answer.json()["problem"]["code"]) == (413, "too_large")
    assert "7,000 x 8,000 pixels; at most 50,000,000" in answer.json()["detail"]
    assert time.monotonic() - started_s < TIMEOUT_S


def test_a_form_of_many_parts_is_no_image(server: Server) -> None:
    answer = requests.post(
        f"{server.url}/api/v1/analyze",
        files=[("part", b"x")] * 50,
        timeout=TIMEOUT_S,
    )
    assert answer.status_code == 413


def test_live_frames_do_not_wait_for_photographs(server: Server, astronaut_jpeg: bytes) -> None:
    """With one worker, which is busy with large photographs all the time."""
    photo = encoded(group_photo(MEGAPIXELS_12, (40, 90))[0])
    ended = threading.Event()
    statuses: list[int] = []

    def keep_uploading() -> None:
        while not ended.is_set():
            statuses.append(upload(server, photo).status_code)

    client = SocketClient()
    client.connect(server.url)
    threads = [threading.Thread(target=keep_uploading) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        deadline_s = time.monotonic() + 5 * TIMEOUT_S
        answered = 0
        while statuses.count(200) < 2 or answered < 20:
            assert time.monotonic() < deadline_s, (statuses, answered)
            answer = client.call("frame", ({"seq": 1, "captured_ms": 1.0}, astronaut_jpeg), timeout=TIMEOUT_S)
            assert "faces" in answer, answer
            answered += 1
    finally:
        ended.set()
        for thread in threads:
            thread.join()
        client.disconnect()
    assert set(statuses) <= {200, 503}, "photographs may find no time, frames do"
    assert answered > len(statuses), "frames went past the photographs"
