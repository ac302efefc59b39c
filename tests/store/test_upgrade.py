"""A database written by an earlier version opens in this one, with everything that is in it.

`data/da55fc8.sqlite` was written by the code of commit da55fc8 and never changes. It holds two hosts,
the first with an API key, and two rooms. STUDY234 is closed; of its three participants one left and one
shares the camera with a second face. STUDY567 was recording when its server was killed.
"""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import sqlite3
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from tests.helpers.postgres import find_postgres, running_postgres
from tests.helpers.room_client import TIMEOUT_S
from tests.helpers.serving import Server
from tests.helpers.waiting import wait_until
from webapp.export.store_process import Repositories
from webapp.store.database import migrate, open_database
from webapp.store.models import Base
from webapp.store.records import MarkerChange, MarkerRecord

DATABASE = Path(__file__).parent / "data" / "da55fc8.sqlite"

API_KEY = "mien_da55fc8_" + "k" * 30
HOST = {"name": "Anna Muster", "password": "correct horse battery staple"}

STUDY, RUNNING_STUDY = "STUDY234", "STUDY567"
SAMPLES = {"Zoé": 40, "Ben": 40, "Two faces": 80}


@pytest.fixture
def old_database(tmp_path: Path) -> Path:
    return Path(shutil.copy(DATABASE, tmp_path / "mien.sqlite"))


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of this version on the old data."""
    folder = tmp_path_factory.mktemp("data")
    shutil.copy(DATABASE, folder / "mien.sqlite")
    with Server(MIEN_WORKERS="1", MIEN_DATA_DIR=str(folder)) as server:
        yield server


def get(server: Server, path: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {API_KEY}"}
    return requests.get(f"{server.url}/api/v1{path}", headers=headers, timeout=TIMEOUT_S)


def exported(server: Server, code: str) -> dict[str, bytes]:
    answer = get(server, f"/rooms/{code}/export.zip")
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def table(file: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.decode())))


def old_rows(query: str) -> list[Any]:
    with sqlite3.connect(f"file:{DATABASE}?mode=ro&immutable=1", uri=True) as connection:
        return connection.execute(query).fetchall()


def test_migrating_gives_an_old_database_the_tables_of_this_version(old_database: Path) -> None:
    engine = open_database(f"sqlite:///{old_database}")
    migrate(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    engine.dispose()


def test_migrating_keeps_every_row(old_database: Path) -> None:
    tables = ("host", "api_key", "room", "participant", "recording", "marker", "sample")
    engine = open_database(f"sqlite:///{old_database}")
    migrate(engine)
    with engine.connect() as connection:
        counts = {
            name: connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar() for name in tables
        }
    engine.dispose()
    assert counts == {name: old_rows(f"SELECT count(*) FROM {name}")[0][0] for name in tables}
    assert all(counts.values())


def test_an_old_api_key_and_an_old_password_still_open_the_server(upgraded: Server) -> None:
    assert get(upgraded, "/rooms").status_code == 200
    browser = requests.Session()
    page = browser.get(f"{upgraded.url}/host", timeout=TIMEOUT_S).text
    (csrf_token,) = re.findall(r'csrf_token" value="([^"]+)"', page)
    answer = browser.post(
        f"{upgraded.url}/host/login",
        data={"csrf_token": csrf_token, **HOST},
        timeout=TIMEOUT_S,
        allow_redirects=False,
    )
    assert answer.status_code == 302
    assert HOST["name"] in browser.get(f"{upgraded.url}/host", timeout=TIMEOUT_S).text


def test_old_rooms_come_back_in_the_state_they_were_in(upgraded: Server) -> None:
    def stored(code: str) -> int:
        return int(get(upgraded, f"/rooms/{code}").json()["samples"]["stored"])

    study, running = (get(upgraded, f"/rooms/{code}").json() for code in (STUDY, RUNNING_STUDY))
    assert study["state"] == "closed"
    assert {one["alias"] for one in study["participants"]} <= set(SAMPLES)
    assert (running["state"], running["recording"]["state"]) == ("open", "started")
    wait_until(lambda: (stored(STUDY), stored(RUNNING_STUDY)) == (sum(SAMPLES.values()), 40))


def test_an_old_room_is_exported_with_every_sample_marker_and_consent(upgraded: Server) -> None:
    files = exported(upgraded, STUDY)
    tables = {"samples.csv", "markers.csv", "participants.csv", "summary.csv"}
    assert {name for name in files if not name.startswith("figures/")} == tables | {
        "room.json",
        "report.html",
    }
    assert Counter(row["alias"] for row in table(files["samples.csv"])) == SAMPLES
    assert [row["label"].lstrip("'") for row in table(files["markers.csv"])] == ["Film begins", "=Film ends"]
    consents = {row["participant"]: row["information_version"] for row in table(files["participants.csv"])}
    assert consents == dict(
        old_rows(f"SELECT id, information_version FROM participant WHERE room = '{STUDY}'")
    )
    assert json.loads(files["room.json"])["code"] == STUDY


def test_an_old_sample_is_exported_with_the_values_it_was_recorded_with(upgraded: Server) -> None:
    stored = old_rows(
        "SELECT participant_id, frame, face_id, raw_happy, smooth_angry, valence FROM sample"
        " JOIN recording ON recording.id = recording_id"
        f" WHERE room = '{STUDY}' AND face_id > 0"
    )
    rows = {
        (row["participant"], int(row["frame"]), int(row["face_id"])): row
        for row in table(exported(upgraded, STUDY)["samples.csv"])
        if row["face_id"]
    }
    assert len(rows) == len(stored)
    for participant, frame, face_id, *values in stored:
        row = rows[participant, frame, face_id]
        shown = [float(row[column]) for column in ("happiness", "smooth_anger", "valence")]
        assert shown == pytest.approx(values, abs=1e-5)


def test_a_room_from_before_there_were_languages_has_one_text_and_consents_to_it(old_database: Path) -> None:
    keeps_rooms_from_before_languages(f"sqlite:///{old_database}")


def test_markers_from_before_there_were_histories_have_none_and_can_be_changed(old_database: Path) -> None:
    keeps_markers_from_before_histories(f"sqlite:///{old_database}")


@pytest.mark.parametrize("name", ["languages", "histories"])
def test_the_same_on_postgresql(name: str) -> None:
    programs = find_postgres()
    if programs is None:
        pytest.skip("no PostgreSQL is installed")
    keeps = {"languages": keeps_rooms_from_before_languages, "histories": keeps_markers_from_before_histories}
    with running_postgres(programs) as postgres:
        keeps[name](postgres.url)


def keeps_rooms_from_before_languages(url: str) -> None:
    """Give a database the tables of 0002, add a room and a consent, and open it with this version."""
    engine = open_database(url)
    migrate(engine, "0002")
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO room (code, name, information, settings, created_ms)"
            " VALUES ('BEFORE23', 'Room', 'Text', '{\"video\": false}', 1.0)"
        )
        connection.exec_driver_sql(
            "INSERT INTO participant (id, room, alias, resume_hash, information_version, consented_ms)"
            " VALUES ('one', 'BEFORE23', 'A', '', '', 2.0)"
        )
    engine.dispose()
    archive = Repositories(url)
    archive.database.prepare()
    saved = next(one for one in archive.rooms.load_rooms() if one.room.code == "BEFORE23")
    archive.close()
    assert (saved.room.information, saved.room.information_translations) == ("Text", {})
    assert [one.consent_language for one in saved.participants] == [None]


def keeps_markers_from_before_histories(url: str) -> None:
    """Give a database the tables of 0003, add markers, and open and change them with this version."""
    engine = open_database(url)
    migrate(engine, "0003")
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO room (code, name, information, settings, created_ms)"
            " VALUES ('BEFORE34', 'Room', 'Text', '{}', 1.0)"
        )
        connection.exec_driver_sql(
            "INSERT INTO participant (id, room, alias, resume_hash, information_version, consented_ms)"
            " VALUES ('one', 'BEFORE34', 'A', '', '', 2.0)"
        )
        connection.exec_driver_sql(
            "INSERT INTO marker (room, at_ms, label, source) VALUES ('BEFORE34', 3.0, 'old', 'api')"
        )
    engine.dispose()
    archive = Repositories(url)
    archive.database.prepare()
    saved = next(one for one in archive.rooms.load_rooms() if one.room.code == "BEFORE34")
    assert [(one.participant_label, one.consent_source) for one in saved.participants] == [(None, None)]
    (old,) = saved.markers
    assert (old.at_ms, old.label, old.source, old.participant_id, old.history) == (
        3.0,
        "old",
        "api",
        None,
        (),
    )
    change = MarkerChange(old.at_ms, old.label, changed_ms=9.0, by="Anna")
    assert archive.markers.replace_marker(old, replace(old, label="new", history=(change,)))
    added = MarkerRecord("BEFORE34", 5.0, "mine", "participant", participant_id="one", key="k")
    kept = archive.markers.add_marker(added)
    assert kept is not None and kept.marker.id is not None and old.id is not None
    assert kept.marker.id > old.id
    assert [(one.label, one.history) for one in archive.markers.markers("BEFORE34", 0, 9)] == [
        ("new", (change,)),
        ("mine", ()),
    ]
    archive.rooms.delete_participant("one")
    assert [one.label for one in archive.markers.markers("BEFORE34", 0, 9)] == ["new"]
    archive.close()
