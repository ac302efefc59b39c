from __future__ import annotations

import socket
import threading

import pytest

from webapp.errors import TooLargeError
from webapp.ipc import framing
from webapp.protocol import Analysis, Job, Region


def test_a_message_arrives_as_it_was_sent() -> None:
    here, there = socket.socketpair()
    with here, there:
        framing.send(here, framing.Message(7, b"picture"))
        assert framing.receive(there) == framing.Message(7, b"picture")


def test_a_message_larger_than_the_socket_buffer_arrives_whole() -> None:
    here, there = socket.socketpair()
    payload = bytes(range(256)) * 20_000
    with here, there:
        sender = threading.Thread(target=framing.send, args=(here, framing.Message(1, payload)))
        sender.start()
        assert framing.receive(there) == framing.Message(1, payload)
        sender.join()


@pytest.mark.parametrize("sent", [b"", b"\x00\x00", framing.HEADER.pack(9, 1) + b"half"])
def test_a_closed_peer_ends_the_stream_even_within_a_message(sent: bytes) -> None:
    here, there = socket.socketpair()
    with there:
        with here:
            here.sendall(sent)
        assert framing.receive(there) is None


@pytest.mark.parametrize(
    "job",
    [
        Job(b"picture"),
        Job(b"", (Region(0.5, 0.25, 0.125, -1.5), Region(1, 2, 3, 4)), detect=False),
        Job(b"x", detect=False, tile=70_000),
    ],
)
def test_a_job_survives_the_link(job: Job) -> None:
    assert framing.unpack_job(framing.pack_job(job)) == job


def test_of_too_many_regions_the_first_are_sent() -> None:
    job = Job(b"picture", (Region(1, 2, 3, 4),) * 300)
    assert len(framing.unpack_job(framing.pack_job(job)).regions) == framing.MAX_REGIONS


def test_an_analysis_survives_the_link() -> None:
    analysis = Analysis(640, 480, (), {"decode": 1.5})
    assert framing.unpack_outcome(framing.pack_outcome(analysis)) == analysis


def test_a_problem_survives_the_link_with_its_code_and_words() -> None:
    problem = framing.unpack_outcome(framing.pack_outcome(TooLargeError("too many pixels")))
    assert isinstance(problem, TooLargeError)
    assert (problem.code, str(problem)) == ("too_large", "too many pixels")
