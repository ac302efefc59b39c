"""What an export of a room has in it, in both forms, from databases as old versions left them."""

from __future__ import annotations

import datetime
import io
import json
import time
import zipfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from tests.helpers.exports import (
    CODE,
    START_MS,
    add_marker,
    add_person,
    exported,
    new_archive,
    rows,
    sample,
    save,
    unzip,
)
from tests.helpers.long_recording import add_recording
from tests.helpers.postgres import database_setting
from tests.helpers.stores import LocalStore
from webapp.export.codebook import COLUMNS
from webapp.export.snapshot import MAX_ROWS
from webapp.export.store_process import Repositories
from webapp.export.zip import write_export
from webapp.rooms.room import Room
from webapp.rooms.service import RoomService
from webapp.store.database import open_database
from webapp.store.records import MarkerRecord, RoomRecord
from webapp.store.sample_writer import SampleWriter

FORMS = ("csv", "parquet")


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'test.sqlite'}"


@pytest.fixture
def archive(url: str) -> Iterator[Repositories]:
    """A room with two people and a recording of a minute, still empty."""
    opened = new_archive(url, "ann", "ben")
    opened.recordings.start_recording(CODE, START_MS)
    yield opened
    opened.close()


@pytest.fixture
def engine(url: str, archive: Repositories) -> Iterator[Engine]:
    opened = open_database(url)
    yield opened
    opened.dispose()


@pytest.mark.parametrize("kind", ["SQLite", "PostgreSQL"])
def test_people_who_join_while_an_export_runs_are_not_in_it(kind: str, url: str) -> None:
    with database_setting(kind) as setting:
        archive = new_archive(setting.get("MIEN_DATABASE_URL", url), "ann")
        for recording in (1, 2):
            archive.recordings.start_recording(CODE, START_MS)
            many = range(2 * MAX_ROWS)
            archive.recordings.add_samples([sample("ann", n, n / 100, recording=recording) for n in many])
        engine = open_database(setting.get("MIEN_DATABASE_URL", url))
        pieces = write_export(engine, CODE, {}, "csv")
        begun = [next(pieces)]
        add_person(archive, "late")
        archive.recordings.add_samples([sample("late", n, 50 + n, recording=2) for n in range(5)])
        add_marker(archive, "late", 1.0)
        files = unzip(iter([*begun, *pieces]))
        assert {row["participant"] for row in rows(files["samples.csv"])} == {"ann"}
        assert [row["participant"] for row in rows(files["participants.csv"])] == ["ann"]
        assert rows(files["markers.csv"]) == []
        again = exported(engine)
        assert [row["samples"] for row in rows(again["participants.csv"])] == [str(4 * MAX_ROWS), "5"]
        engine.dispose()
        archive.close()


@pytest.mark.parametrize("kind", ["SQLite", "PostgreSQL"])
def test_an_export_that_is_broken_off_leaves_nothing_open(kind: str, url: str) -> None:
    with database_setting(kind) as setting:
        archive = new_archive(setting.get("MIEN_DATABASE_URL", url), "ann")
        archive.recordings.start_recording(CODE, START_MS)
        archive.recordings.add_samples(
            [sample("ann", number, number / 100) for number in range(3 * MAX_ROWS)]
        )
        engine = open_database(setting.get("MIEN_DATABASE_URL", url))
        pieces = write_export(engine, CODE, {}, "csv")
        assert isinstance(pieces, Generator)
        next(pieces)
        assert engine.pool.checkedout() == 1  # type: ignore[attr-defined]
        pieces.close()
        assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
        engine.dispose()
        archive.close()


def test_an_export_does_not_read_the_samples_of_other_rooms(url: str, engine: Engine) -> None:
    steps = []

    @event.listens_for(engine, "connect")
    def count_steps(connection: Any, record: object) -> None:
        connection.set_progress_handler(lambda: steps.append(1), 1000)

    exported(engine)
    before = len(steps)
    add_recording(url, "OTHER234", 60)
    exported(engine)
    assert len(steps) - 2 * before < 20, "in thousands of steps of SQLite; 9,000 samples take about 90"


def test_frames_captured_before_the_recording_are_left_out_and_counted(
    archive: Repositories, engine: Engine
) -> None:
    archive.recordings.add_samples(
        [sample("ann", number, at_s) for number, at_s in enumerate((-0.4, -0.1, 0.0, 0.3))]
    )
    add_marker(archive, "first", 0.0)
    files = exported(engine)
    found = rows(files["samples.csv"])
    assert [(row["frame"], row["t"], row["marker"]) for row in found] == [
        ("2", "0.0", "first"),
        ("3", "0.3", ""),
    ]
    (person, _) = rows(files["participants.csv"])
    about = json.loads(files["room.json"])
    assert (person["samples"], about["samples"]) == ("2", 2)
    assert [(one["samples"], one["left_out"]) for one in about["recordings"]] == [(2, 2)]


def test_markers_outside_recordings_belong_to_none_and_to_no_frame(
    archive: Repositories, engine: Engine
) -> None:
    archive.recordings.add_samples([sample("ann", 0, 0.0), sample("ann", 1, 9.9)])
    archive.recordings.stop_recording(1, START_MS + 10_000)
    for label, at_s in (("hours before", -7200), ("just before", -0.5), ("in it", 10.0), ("after", 10.5)):
        add_marker(archive, label, at_s)
    files = exported(engine)
    found = {row["label"]: (row["recording"], row["t"]) for row in rows(files["markers.csv"])}
    assert found == {
        "hours before": ("", ""),
        "just before": ("", ""),
        "in it": ("1", "10.0"),
        "after": ("", ""),
    }
    assert [row["marker"] for row in rows(files["samples.csv"])] == ["", "in it"]


@pytest.mark.parametrize("form", FORMS)
def test_times_that_no_calendar_has_are_empty(archive: Repositories, engine: Engine, form: str) -> None:
    if form == "parquet":
        pytest.importorskip("pyarrow")
    clocks = (1e300, -1e300, 253_402_300_799_999.0, 253_402_300_800_000.0, -62_135_596_800_000.0)
    archive.recordings.add_samples([sample("ann", n, n, captured_ms=clock) for n, clock in enumerate(clocks)])
    edges = (-62_135_596_800_000.0 - 50_400_000, 253_402_300_799_999.9)
    for at_ms in edges:
        archive.markers.add_marker(MarkerRecord(CODE, at_ms, "edge", "api"))
    files = exported(engine, form)
    assert [row["timestamp"] for row in rows(files["markers.csv"])] == ["", "9999-12-31T23:59:59.999Z"]
    last, first = "9999-12-31T23:59:59.999Z", "0001-01-01T00:00:00.000Z"
    if form == "csv":
        captured = [row["captured"] for row in rows(files["samples.csv"])]
        assert captured == ["", "", last, "", first]
    else:
        captured = _parquet(files["samples.parquet"]).column("captured").to_pylist()
        assert [moment and moment.year for moment in captured] == [None, None, 9999, None, 1]


@pytest.mark.parametrize(
    ("label", "cell"),
    [
        *((text, f"'{text}") for text in ("=1+1", "+1", "-1", "@SUM(A1)", " =1", "＝1+1", "-")),  # noqa: RUF001
        *((f"{control}=1", f"'{kept}'=1") for control, kept in (("\t", "\t"), ("\r", "\n"), ("\n", "\n"))),
    ],
)
def test_no_text_of_a_csv_cell_begins_as_a_formula(
    archive: Repositories, engine: Engine, label: str, cell: str
) -> None:
    add_person(archive, "cat", alias=label)
    archive.recordings.add_samples([sample("ann", 0, 1.0), sample("cat", 0, 1.0)])
    add_marker(archive, label, 1.0)
    files = exported(engine)
    (marker,) = rows(files["markers.csv"])
    assert marker["label"] == cell
    assert rows(files["participants.csv"])[-1]["alias"] == cell
    samples = rows(files["samples.csv"])
    assert {(row["alias"], row["marker"]) for row in samples} == {("ANN", cell), (cell, cell)}


@pytest.mark.parametrize(
    ("label", "cell"),
    [("p;=1+1;q", "p;'=1+1;q"), ("x\n=1\t@2", "x\n'=1\t'@2"), ("=1; -2", "'=1;' -2"), ("\t;+", "'\t;'+")],
)
def test_nothing_begins_a_formula_where_semicolons_or_tabs_separate_cells(
    archive: Repositories, engine: Engine, label: str, cell: str
) -> None:
    add_marker(archive, label, 1.0)
    (marker,) = rows(exported(engine)["markers.csv"])
    assert marker["label"] == cell


@pytest.mark.parametrize(
    "label", ["a=1", "x, y", 'say "hi"', "two\nlines", "Grüße, 你好", "a\rb", "'quoted'", "a; b; c-d"]
)
def test_other_texts_come_through_unchanged(archive: Repositories, engine: Engine, label: str) -> None:
    archive.recordings.add_samples([sample("ann", 0, 1.0)])
    add_marker(archive, label, 1.0)
    files = exported(engine)
    cell = label.replace("\r", "\n")
    assert [row["label"] for row in rows(files["markers.csv"])] == [cell]
    assert [row["marker"] for row in rows(files["samples.csv"])] == [cell]


def test_negative_numbers_stay_numbers(archive: Repositories, engine: Engine) -> None:
    archive.recordings.add_samples(
        [sample("ann", 0, 1.0, shown=(1.0, 0, 0, 0, 0, 0, 0), clock_offset_ms=-250.0)]
    )
    (row,) = rows(exported(engine)["samples.csv"])
    assert (row["valence"], row["clock_offset"]) == ("-1.0", "-0.25")


@pytest.mark.parametrize("form", FORMS)
def test_every_file_of_the_zip_is_dated_by_the_export(engine: Engine, form: str) -> None:
    if form == "parquet":
        pytest.importorskip("pyarrow")
    with zipfile.ZipFile(io.BytesIO(b"".join(write_export(engine, CODE, {}, form)))) as archive:
        ages_s = [
            time.time() - datetime.datetime(*entry.date_time).timestamp() for entry in archive.infolist()
        ]
    assert len(ages_s) == {"csv": 6, "parquet": 9}[form]
    assert all(-1 < age_s < 60 for age_s in ages_s), ages_s


def test_parquet_has_times_as_times_and_numbers_as_numbers(archive: Repositories, engine: Engine) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    archive.recordings.add_samples([sample("ann", 0, 1.0), sample("ben", 0, 1.0, shown=None)])
    table = _parquet(exported(engine, "parquet")["samples.parquet"])
    types = {
        "time": pyarrow.timestamp("ms", tz="UTC"),
        "whole": pyarrow.int64(),
        "number": pyarrow.float64(),
        "text": pyarrow.string(),
    }
    assert [table.schema.field(one.name).type for one in COLUMNS] == [types[one.kind] for one in COLUMNS]
    assert table.column("timestamp").cast(pyarrow.int64()).to_pylist() == [START_MS + 1000] * 2
    assert table.column("happiness").to_pylist() == [0.0, None], "missing, not NaN"


def test_an_empty_recording_exports_tables_without_rows(engine: Engine, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    assert rows(exported(engine)["samples.csv"]) == []
    path = save(engine, tmp_path / "empty.zip", "parquet")
    with zipfile.ZipFile(path) as archive:
        assert len(pandas.read_parquet(io.BytesIO(archive.read("samples.parquet")))) == 0


def test_the_code_books_name_every_column_of_every_table(archive: Repositories, engine: Engine) -> None:
    archive.recordings.add_samples([sample("ann", 0, 1.0)])
    add_marker(archive, "x", 1.0)
    files = exported(engine)
    about = json.loads(files["room.json"])
    for name, book in (
        ("samples.csv", "code_book"),
        ("markers.csv", "code_book_markers"),
        ("participants.csv", "code_book_participants"),
    ):
        assert [column["name"] for column in about[book]] == list(rows(files[name])[0])
        assert all(column["meaning"] for column in about[book])


def test_samples_that_are_not_in_the_export_are_counted(archive: Repositories) -> None:
    store = LocalStore(archive)
    writer = SampleWriter(store, capacity=2)
    writer.put(CODE, [sample("ann", number, number) for number in range(5)])
    pieces = RoomService(store, writer, "model").export(Room(RoomRecord(CODE, "", "", {}, 0.0)), {}, "csv")
    about = json.loads(unzip(pieces)["room.json"])
    assert (about["samples"], about["lost"], about["waiting"], about["model"]) == (2, 3, 0, "model")


def _parquet(content: bytes) -> Any:
    from pyarrow import parquet

    return parquet.read_table(io.BytesIO(content))
