"""The wire contract, spoken by a real client with a real server and its workers."""

from __future__ import annotations

import contextlib
import os
import signal
import struct
import threading
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests

from tests.helpers.room_client import SocketClient
from tests.helpers.serving import STOP_TIMEOUT_S, Server
from tests.helpers.waiting import wait_until
from webapp.protocol import LABELS, LANDMARK_NAMES, MAX_IMAGE_BYTES, STAGES

META = {"seq": 7, "captured_ms": 12.5}
ANSWER_TIMEOUT_S = 30
"""Generous: it only decides how soon a failure is known."""

Answer = dict[str, Any]


@pytest.fixture
def browser(server: Server) -> Iterator[SocketClient]:
    with connected(server) as client:
        yield client


class connected:  # noqa: N801 - used as a function in `with`
    """A Socket.IO client of the server, over a websocket as browsers use."""

    def __init__(self, server: Server) -> None:
        self._url = server.url
        self._client = SocketClient()

    def __enter__(self) -> SocketClient:
        self._client.connect(self._url)
        return self._client

    def __exit__(self, *error: object) -> None:
        self._client.disconnect()


def ask(browser: SocketClient, *arguments: object) -> Answer:
    data = arguments if len(arguments) != 1 else arguments[0]
    answer: Answer = browser.call("frame", data, timeout=ANSWER_TIMEOUT_S)
    return answer


def png_header(width: int, height: int) -> bytes:
    """A PNG that says it is that large and has hardly any data."""
    header = struct.pack("!IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack("!I", len(data)) + kind + data + struct.pack("!I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def test_a_frame_is_answered_with_every_field_of_the_contract(
    browser: SocketClient, astronaut_jpeg: bytes
) -> None:
    answer = ask(browser, META, astronaut_jpeg)
    assert list(answer) == ["seq", "width", "height", "faces", "timing_ms"]
    assert (answer["seq"], answer["width"], answer["height"]) == (7, 512, 512)
    assert set(answer["timing_ms"]) == set(STAGES)
    stages = [answer["timing_ms"][stage] for stage in STAGES if stage != "total"]
    assert sum(stages) == pytest.approx(answer["timing_ms"]["total"], abs=0.1)


def test_the_face_has_every_field_of_the_contract(browser: SocketClient, astronaut_jpeg: bytes) -> None:
    (face,) = ask(browser, META, astronaut_jpeg)["faces"]
    x, y, width, height = face["box"]
    assert 130 < x < 190 and 40 < y < 100 and 80 < width < 160 and 80 < height < 180
    assert 0.5 < face["score"] <= 1
    assert set(face["landmarks"]) == set(LANDMARK_NAMES)
    assert all(
        0 <= value < 512 for points in face["landmarks"].values() for point in points for value in point
    )
    assert set(face["pose"]) == {"yaw", "pitch", "roll"}
    assert face["expression"] == "happy"
    assert face["confidence"] == max(face["probabilities"].values())
    for kind in ("probabilities", "raw_probabilities"):
        assert tuple(face[kind]) == LABELS
        assert sum(face[kind].values()) == pytest.approx(1, abs=1e-3)
    negative = max(face["probabilities"][label] for label in ("angry", "disgust", "fear", "sad"))
    assert face["valence"] == pytest.approx(face["probabilities"]["happy"] - negative, abs=1e-3)


def test_a_face_keeps_its_id_within_a_connection_and_every_connection_counts_anew(
    server: Server, browser: SocketClient, astronaut_jpeg: bytes
) -> None:
    ids = [ask(browser, META, astronaut_jpeg)["faces"][0]["id"] for _ in range(3)]
    with connected(server) as other:
        assert ids + [ask(other, META, astronaut_jpeg)["faces"][0]["id"]] == [1, 1, 1, 1]


BAD_META: list[object] = [
    None, "seq 7", 7, [], {}, {"seq": 7}, {"captured_ms": 1.0}, {"seq": "7", "captured_ms": 1.0},
    {"seq": -1, "captured_ms": 1.0}, {"seq": 1.5, "captured_ms": 1.0}, {"seq": True, "captured_ms": 1.0},
    {"seq": 7, "captured_ms": None}, {"seq": 7, "captured_ms": "now"},
]  # fmt: skip


@pytest.mark.parametrize("meta", BAD_META)
def test_a_wrong_meta_is_a_bad_frame_and_the_connection_stays(
    browser: SocketClient, astronaut_jpeg: bytes, meta: object
) -> None:
    assert ask(browser, meta, astronaut_jpeg)["problem"]["code"] == "bad_frame"
    assert ask(browser, META, astronaut_jpeg)["faces"]


@pytest.mark.parametrize("arguments", [(), (META,), (META, b"x", b"y")])
def test_a_wrong_number_of_arguments_is_a_bad_frame(
    browser: SocketClient, arguments: tuple[object, ...]
) -> None:
    assert ask(browser, *arguments)["problem"]["code"] == "bad_frame"


def bad_images(jpeg: bytes) -> dict[str, tuple[object, str]]:
    noise = np.random.default_rng(0).bytes(5000)
    return {
        "random bytes": (noise, "bad_frame"),
        "random bytes after a JPEG's first ones": (jpeg[:20] + noise, "bad_frame"),
        "empty": (b"", "bad_frame"),
        "truncated": (jpeg[: len(jpeg) // 2], "bad_frame"),
        "text": ("data:image/jpeg;base64,AAAA", "bad_frame"),
        "a number": (12, "bad_frame"),
        "nothing": (None, "bad_frame"),
        "a list": ([1, 2, 3], "bad_frame"),
        "20,000 x 20,000 pixels": (png_header(20_000, 20_000), "too_large"),
        "too many bytes": (jpeg + b"\0" * MAX_IMAGE_BYTES, "too_large"),
    }


@pytest.mark.parametrize("kind", bad_images(b""))
def test_a_bad_image_is_a_problem_and_the_connection_stays(
    browser: SocketClient, astronaut_jpeg: bytes, kind: str
) -> None:
    image, code = bad_images(astronaut_jpeg)[kind]
    answer = ask(browser, META, image)
    assert (answer["seq"], answer["problem"]["code"]) == (7, code)
    assert answer["problem"]["message"]
    assert ask(browser, META, astronaut_jpeg)["faces"]


def burst(browser: SocketClient, jpeg: bytes, frames: int) -> list[Answer]:
    """Send frames without waiting for answers; the answers in the order of the frames."""
    answers: dict[int, Answer] = {}
    done = threading.Event()

    def keep(answer: Answer) -> None:
        answers[answer["seq"]] = answer
        if len(answers) == frames:
            done.set()

    for seq in range(frames):
        browser.emit("frame", ({"seq": seq, "captured_ms": 0.0}, jpeg), callback=keep)
    assert done.wait(ANSWER_TIMEOUT_S), f"{len(answers)} of {frames} frames were answered"
    return [answers[seq] for seq in range(frames)]


def test_of_a_burst_some_are_busy_and_the_newest_is_analysed(
    browser: SocketClient, astronaut_jpeg: bytes
) -> None:
    answers = burst(browser, astronaut_jpeg, 30)
    assert {answer["problem"]["code"] for answer in answers if "problem" in answer} == {"busy"}
    assert answers[-1]["faces"]


def test_three_browsers_get_their_own_results_only(server: Server, astronaut_jpeg: bytes) -> None:
    with connected(server) as first, connected(server) as second, connected(server) as third:
        browsers = [first, second, third]
        seqs: dict[int, list[int]] = {0: [], 1: [], 2: []}

        def run(index: int) -> None:
            for step in range(20):
                meta = {"seq": 1000 * index + step, "captured_ms": 0.0}
                seqs[index].append(ask(browsers[index], meta, astronaut_jpeg)["seq"])

        threads = [threading.Thread(target=run, args=(index,)) for index in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert seqs == {index: [1000 * index + step for step in range(20)] for index in range(3)}


def test_killing_every_worker_under_load_closes_no_connection(astronaut_jpeg: bytes) -> None:
    with Server(MIEN_WORKERS="2") as server, connected(server) as browser:
        stop = threading.Event()
        answers: list[Answer] = []

        def load() -> None:
            while not stop.is_set():
                answers.append(ask(browser, META, astronaut_jpeg))

        loader = threading.Thread(target=load)
        loader.start()
        wait_until(lambda: answers and "faces" in answers[-1])
        killed = server.worker_pids()
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: len(set(server.worker_pids()) - set(killed)) == 2)  # the server saw both die
        wait_until(server.is_ready)
        wait_until(lambda: "faces" in answers[-1])
        stop.set()
        loader.join()
        problems = {answer["problem"]["code"] for answer in answers if "problem" in answer}
        assert problems <= {"unavailable"}
        assert browser.connected


def test_healthz_and_readyz_answer_200_when_a_worker_can_answer(server: Server) -> None:
    for path in ("/healthz", "/readyz"):
        assert requests.get(server.url + path, timeout=ANSWER_TIMEOUT_S).status_code == 200


def test_without_a_ready_worker_readyz_answers_503_and_frames_are_unavailable(
    astronaut_jpeg: bytes,
) -> None:
    server = Server(MIEN_WORKERS="1")
    with server, connected(server) as browser:
        (pid,) = server.worker_pids()
        os.kill(pid, signal.SIGSTOP)  # a worker that hangs: it is killed, and another one started
        answer = ask(browser, META, astronaut_jpeg)
        assert answer["problem"]["code"] == "unavailable"
        assert requests.get(server.url + "/healthz", timeout=ANSWER_TIMEOUT_S).status_code == 200
        wait_until(lambda: "faces" in ask(browser, META, astronaut_jpeg))


def upload(server: Server, image: bytes) -> requests.Response:
    return requests.post(f"{server.url}/api/v1/analyze", files={"image": image}, timeout=ANSWER_TIMEOUT_S)


def test_analyze_answers_an_uploaded_picture_with_the_same_result_object(
    server: Server, astronaut_jpeg: bytes
) -> None:
    answer = upload(server, astronaut_jpeg)
    assert answer.status_code == 200
    assert answer.json()["seq"] == 0
    assert answer.json()["faces"][0]["expression"] == "happy"


@pytest.mark.parametrize(
    ("image", "status", "code"),
    [
        (b"not a image", 400, "bad_frame"),
        (b"", 400, "bad_frame"),
        (png_header(20_000, 20_000), 413, "too_large"),
        (b"\xff\xd8" + b"\0" * (30_000_000 + 1), 413, "too_large"),
        (b"\xff\xd8" + b"\0" * 40_000_000, 413, "too_large"),
    ],
)
def test_analyze_answers_a_bad_image_with_a_problem(
    server: Server, image: bytes, status: int, code: str
) -> None:
    answer = upload(server, image)
    assert (answer.status_code, answer.json()["problem"]["code"]) == (status, code)
    assert answer.json()["seq"] == 0


def test_uploads_beyond_what_there_is_time_for_are_busy_and_say_when_to_try_again(
    server: Server, astronaut_jpeg: bytes
) -> None:
    with ThreadPoolExecutor(40) as threads:
        answers = list(threads.map(lambda _: upload(server, astronaut_jpeg), range(120)))
    assert {answer.status_code for answer in answers} == {200, 503}
    busy = [answer for answer in answers if answer.status_code == 503]
    assert {answer.json()["problem"]["code"] for answer in busy} == {"busy"}
    assert {answer.headers["Retry-After"] for answer in busy} == {"1"}


def test_analyze_without_a_picture_says_what_to_send(server: Server) -> None:
    answer = requests.post(f"{server.url}/api/v1/analyze", data={"image": "text"}, timeout=ANSWER_TIMEOUT_S)
    assert answer.status_code == 400
    assert "multipart/form-data" in answer.json()["problem"]["message"]


def test_pages_forbid_other_hosts_and_other_frames(server: Server) -> None:
    headers = requests.get(server.url, timeout=ANSWER_TIMEOUT_S).headers
    policy = headers["Content-Security-Policy"]
    assert "object-src 'none'" in policy and headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy
    assert "connect-src 'self';" in policy, "no sockets to other hosts either"


def test_one_sigterm_stops_a_busy_server_and_its_workers() -> None:
    """The signal arrives while a request is answered, whose own error handling must not swallow it."""
    with Server(MIEN_WORKERS="1") as server:
        workers = server.worker_pids()
        answered: list[int] = []

        def load() -> None:
            with contextlib.suppress(requests.RequestException):  # the server ends
                while True:
                    answered.append(requests.get(server.url, timeout=ANSWER_TIMEOUT_S).status_code)

        loaders = [threading.Thread(target=load) for _ in range(2)]
        for loader in loaders:
            loader.start()
        wait_until(lambda: len(answered) >= 10)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(STOP_TIMEOUT_S) == 0
        for loader in loaders:
            loader.join()
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))


def test_a_setting_that_cannot_be_used_ends_the_start_with_its_name() -> None:
    server = Server(MIEN_WORKERS="many")
    with pytest.raises(AssertionError, match="ended with 1"):
        server.start()
