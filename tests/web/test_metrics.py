"""What /metrics tells, and whom."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from tests.helpers.host_browser import new_key, signed_in
from tests.helpers.room_client import TOKEN, ParticipantClient, api, make_room
from tests.helpers.serving import PROJECT_ROOT, Server
from tests.helpers.waiting import wait_until
from webapp import metrics
from webapp.web import state_metrics

TIMEOUT_S = 30

NEEDS_MORE = {
    "mien_certificate_end_seconds",
    "mien_lease_seconds",
    "mien_uploads_total",
    "mien_log_messages_total",
}
"""Metrics that there are only with https, with PostgreSQL, or once something was counted."""

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(MIEN_WORKERS="2", MIEN_HOST_TOKEN=TOKEN) as running:
        yield running


def scraped(server: Server) -> Samples:
    """All samples of a scrape, as a parser of the format reads them."""
    answer = requests.get(f"{server.url}/metrics", timeout=TIMEOUT_S)
    assert answer.status_code == 200
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples.get((name, frozenset(labels.items())), 0.0)


def test_frames_are_counted_by_outcome_and_timed_by_stage(server: Server, astronaut_jpeg: bytes) -> None:
    before = scraped(server)
    with ParticipantClient(server) as one:
        one.join(make_room(server))
        for _ in range(3):
            assert "faces" in one.send(astronaut_jpeg)
        assert "problem" in one.send(b"no image")
    after = scraped(server)

    def grown(name: str, **labels: str) -> float:
        return value(after, name, **labels) - value(before, name, **labels)

    assert grown("mien_frames_total", outcome="analyzed") == 3
    assert grown("mien_frames_total", outcome="bad_frame") == 1
    assert grown("mien_frame_faces_total") == 3
    for stage in ("queue", "decode", "landmarks", "classify", "total"):
        assert grown("mien_frame_stage_seconds_count", stage=stage) == 3
    assert 0 < grown("mien_frame_stage_seconds_sum", stage="total") < 3 * TIMEOUT_S


def test_rooms_people_and_samples_are_told_as_they_are(server: Server, astronaut_jpeg: bytes) -> None:
    room = make_room(server)
    before = scraped(server)
    with ParticipantClient(server) as one:
        one.join(room)
        wait_until(lambda: value(scraped(server), "mien_participants", state="connected") == 1)
        api(server, "POST", f"/rooms/{room}/recording", {"state": "started"})
        for _ in range(3):
            one.send(astronaut_jpeg)
        wait_until(
            lambda: (
                value(scraped(server), "mien_samples", state="stored")
                > value(before, "mien_samples", state="stored")
            )
        )
        assert value(scraped(server), "mien_rooms", state="recording") == 1
        api(server, "POST", f"/rooms/{room}/close")
    now = scraped(server)
    assert value(now, "mien_rooms", state="closed") == value(before, "mien_rooms", state="closed") + 1
    assert value(now, "mien_recording_works") == value(now, "mien_store_ready") == 1


def test_a_worker_that_dies_is_counted(server: Server) -> None:
    before = value(scraped(server), "mien_worker_restarts_total")
    os.kill(server.worker_pids()[0], signal.SIGKILL)
    wait_until(lambda: value(scraped(server), "mien_worker_restarts_total") == before + 1)
    wait_until(lambda: value(scraped(server), "mien_workers", state="ready") == 2)


def test_refusals_and_requests_are_counted(server: Server) -> None:
    before = scraped(server)
    requests.get(f"{server.url}/about", headers={"Host": "elsewhere.example"}, timeout=TIMEOUT_S)
    requests.get(f"{server.url}/about", timeout=TIMEOUT_S)
    after = scraped(server)
    assert value(after, "mien_refusals_total", limit="host names") == 1 + value(
        before, "mien_refusals_total", limit="host names"
    )
    labels = {"method": "GET", "area": "about", "status": "200"}
    assert value(after, "mien_http_requests_total", **labels) == 1 + value(
        before, "mien_http_requests_total", **labels
    )


def test_memory_of_every_child_is_told(server: Server) -> None:
    children = [
        dict(labels)["child"] for name, labels in scraped(server) if name == "mien_child_resident_bytes"
    ]
    assert sorted(children) == ["store", "worker", "worker"]


def test_jobs_are_counted_by_state_and_their_processes_told(server: Server) -> None:
    answer = requests.post(
        f"{server.url}/api/v1/jobs", files={"file": ("face.jpg", b"no image")}, timeout=TIMEOUT_S
    )
    assert answer.status_code == 202
    wait_until(lambda: value(scraped(server), "mien_file_jobs", state="failed") == 1)
    children = [dict(labels).get("child") for _, labels in scraped(server)]
    assert children.count("jobs") == 1


def test_what_comes_through_a_proxy_needs_a_key(server: Server) -> None:
    url = f"{server.url}/metrics"
    forwarded = {"X-Forwarded-For": "203.0.113.7"}
    assert requests.get(url, headers=forwarded, timeout=TIMEOUT_S).status_code == 401
    bearer = forwarded | {"Authorization": f"Bearer {TOKEN}"}
    assert requests.get(url, headers=bearer, timeout=TIMEOUT_S).status_code == 200


def test_a_key_reads_metrics_with_the_scope_for_that_and_with_no_other(server: Server) -> None:
    browser = signed_in(server)
    for scope, status in (("metrics", 200), ("rooms:read", 403), ("analyze", 403)):
        headers = {
            "X-Forwarded-For": "203.0.113.7",
            "Authorization": f"Bearer {new_key(browser, scope, scope)}",
        }
        answer = requests.get(f"{server.url}/metrics", headers=headers, timeout=TIMEOUT_S)
        assert answer.status_code == status
        assert ("mien_frames_total" in answer.text) == (status == 200)


def test_behind_a_proxy_the_address_of_the_client_counts() -> None:
    with Server(MIEN_WORKERS="1", MIEN_PROXIES="1") as behind:
        url = f"{behind.url}/metrics"
        for address, status in (("203.0.113.7", 401), ("127.0.0.1", 200)):
            headers = {"X-Forwarded-For": address}
            assert requests.get(url, headers=headers, timeout=TIMEOUT_S).status_code == status


def test_the_dashboard_for_grafana_asks_for_metrics_that_exist(server: Server, astronaut_jpeg: bytes) -> None:
    with ParticipantClient(server) as one:
        one.join(make_room(server))
        one.send(astronaut_jpeg)
    told = {name for name, _ in scraped(server)} | NEEDS_MORE
    board = json.loads((PROJECT_ROOT / "deploy" / "grafana.json").read_text())
    for panel in board["panels"]:
        for target in panel["targets"]:
            asked = re.findall(r"\b(?:mien|process)_\w+", target["expr"])
            assert asked and set(asked) <= told, panel["title"]


def test_the_documented_names_are_the_real_ones(server: Server, astronaut_jpeg: bytes) -> None:
    with ParticipantClient(server) as one:
        one.join(make_room(server))
        one.send(astronaut_jpeg)
    told = {re.sub(r"_(bucket|sum|count)$", "", name) for name, _ in scraped(server)} | NEEDS_MORE
    documented = {
        name
        for text in (str(metrics.__doc__), str(state_metrics.__doc__))
        for name in re.findall(r"`(mien_\w+)`", text)
    }
    ours = {name for name in told if name.startswith("mien_") and not name.endswith("_created")}
    assert documented == ours
