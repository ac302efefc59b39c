"""The activity log: what is noted, who reads it, and what it never holds."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import requests

from tests.helpers.host_browser import PASSWORD, Browser, signed_in
from tests.helpers.room_client import TOKEN, ParticipantClient, api, make_room
from tests.helpers.serving import Server
from tests.helpers.stores import LocalStore
from webapp.accounts.audit import AuditLog
from webapp.accounts.identity import HostUser
from webapp.accounts.service import ATTEMPTS_PER_MINUTE
from webapp.app import create_app
from webapp.config import Settings
from webapp.export.store_process import Repositories
from webapp.store.records import AuditRecord
from webapp.store.repositories.audit import AuditRepository
from webapp.web.audited import ACTIONS

NOT_NOTED = {
    "markers.add_marker": "markers are in the export, with their source",
    "markers.change_marker": "the marker keeps what it was, and who changed it",
    "markers.delete_marker": "as for changes",
    "api.ask_for_baselines": "changes nothing by itself",
    "api.ask_for_baseline": "changes nothing by itself",
    "jobs.create_job": "only its owner sees it, and it is deleted after an hour",
    "jobs.delete_job": "as for its creation",
    "analyze.analyze": "nothing is kept of it",
    "host.draft_room": "a preview",
}
"""Routes that take POST, PUT, PATCH or DELETE and leave no entry, and why."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN) as running:
        yield running


def entries_on(browser: Browser, server: Server) -> list[str]:
    """The entries of the page, the newest first, without their times."""
    page = browser.get(f"{server.url}/host/activity", timeout=30).text
    rows = re.findall(r"<tr><td>.*?</td>(.*?)</tr>", page, re.DOTALL)
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)).strip() for row in rows]


def test_every_route_that_changes_something_is_noted_or_named_here(tmp_path: Path) -> None:
    app = create_app(Settings(data_dir=tmp_path))
    changing = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if (rule.methods or set()) & {"POST", "PUT", "PATCH", "DELETE"}
    }
    assert changing - set(ACTIONS) - set(NOT_NOTED) == set()
    assert set(ACTIONS) <= {rule.endpoint for rule in app.url_map.iter_rules()}


def test_sign_ins_over_the_limit_do_not_fill_the_log() -> None:
    with Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN, MIEN_PROXIES="1") as limited:
        browser = signed_in(limited)
        stranger = Browser(limited)
        stranger.open("/host")
        answers = [
            requests.post(
                f"{limited.url}/host/login",
                data={"name": "nobody", "password": "wrong", "csrf_token": stranger.token},
                cookies=stranger.cookies,
                headers={"X-Forwarded-For": "203.0.113.7"},
                timeout=60,
            ).status_code
            for _ in range(ATTEMPTS_PER_MINUTE + 5)
        ]
        assert answers == ATTEMPTS_PER_MINUTE * [401] + 5 * [429]
        failed = [entry for entry in entries_on(browser, limited) if "Failed to sign in" in entry]
        assert len(failed) == ATTEMPTS_PER_MINUTE


def test_a_session_of_work_is_told_in_order(server: Server, astronaut_jpeg: bytes) -> None:
    browser = signed_in(server)
    room = make_room(server)
    with ParticipantClient(server) as one:
        participant = one.join(room, alias="Secret Alias")["participant"]
        api(server, "POST", f"/rooms/{room}/recording", {"state": "started"})
        one.send(astronaut_jpeg)
        api(server, "POST", f"/rooms/{room}/recording", {"state": "stopped"})
        api(server, "GET", f"/rooms/{room}/export.zip")
        one.ask("withdraw", None)
    api(server, "POST", f"/rooms/{room}/close")
    api(server, "DELETE", f"/rooms/{room}")
    told = entries_on(browser, server)
    token, shown = "whoever has the token", f"{room[:4]}…"
    assert told[:7] == [
        f"{token} Deleted a room {shown}",
        f"{token} Closed a room {shown}",
        f"somebody who was not signed in Withdrew from a study {shown}",
        f"{token} Exported a room {shown}",
        f"{token} Stopped a recording {shown}",
        f"{token} Started a recording {shown}",
        f"{token} Created a room {shown}",
    ]
    for text in ("Secret Alias", participant, room):
        assert text not in " ".join(told)


def test_failed_sign_ins_are_told_without_what_was_typed(server: Server) -> None:
    browser = signed_in(server)
    other = Browser(server)
    other.open("/host")
    assert other.open("/host/login", name="typed-name", password=PASSWORD + "wrong").status_code == 401
    told = entries_on(browser, server)
    assert told[0] == "somebody who was not signed in Failed to sign in"
    assert "typed-name" not in " ".join(told)


def test_what_failed_is_not_told(server: Server) -> None:
    browser = signed_in(server)
    before = entries_on(browser, server)
    assert api(server, "DELETE", "/rooms/22222222").status_code == 404
    assert entries_on(browser, server) == before


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LocalStore]:
    with closing(Repositories(f"sqlite:///{tmp_path / 'audit.sqlite'}")) as repositories:
        repositories.database.prepare()
        yield LocalStore(repositories)


def test_entries_wait_while_the_database_is_away(store: LocalStore) -> None:
    log = AuditLog(store)
    store.failing = True
    for number in range(3):
        log.note(HostUser(None, "token"), "create room", str(number))
        log.flush()
    store.failing = False
    log.flush()
    log.flush()
    assert [entry.subject for entry in log.entries(1e15, 10)] == ["2", "1", "0"]


def test_old_entries_are_deleted_and_pages_go_back_in_time(store: LocalStore) -> None:
    now_ms = 1000 * time.time()
    old = [
        AuditRecord(now_ms - days * 86_400_000, "a", "session", "sign in", str(days)) for days in range(10)
    ]
    store.call(AuditRepository.add_entries, old)
    log = AuditLog(store, keep_days=5)
    first = log.entries(1e15, 3)
    assert [entry.subject for entry in first] == ["0", "1", "2"]
    assert [entry.subject for entry in log.entries(first[-1].at_ms, 3)] == ["3", "4", "5"]
    log._clean(0.0)
    assert [entry.subject for entry in log.entries(1e15, 100)] == ["0", "1", "2", "3", "4"]
