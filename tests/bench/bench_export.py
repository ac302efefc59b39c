"""What the export of a long recording takes: `make bench-export`.

A recording of thirty people at five frames a second is made in SQLite and in PostgreSQL, and exported by a
real server as CSV and as Parquet. Memory is the most that the server and its store had, over what a short
recording takes. `python -m tests.bench.bench_export MINUTES` makes it shorter than an hour.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import requests

from tests.bench.report import Goal, Row, print_goals, print_rows, write_goals, write_json
from tests.helpers.long_recording import add_recording
from tests.helpers.postgres import find_postgres, running_postgres
from tests.helpers.processes import peak_mb
from tests.helpers.room_client import TOKEN
from tests.helpers.serving import Server

MINUTES = 60
SHORT, LONG = "SHORT234", "LANG2345"
SHORT_S = 60
GROWTH_LIMIT_MB = 25
TIMEOUT_S = 120
FORMS = ("csv", "parquet")


def download(server: Server, code: str, form: str, path: Path) -> int:
    """Export a room into a file, piece by piece; how many bytes."""
    url = f"{server.url}/api/v1/rooms/{code}/export.zip?format={form}"
    with (
        requests.get(
            url, headers={"Authorization": f"Bearer {TOKEN}"}, stream=True, timeout=TIMEOUT_S
        ) as answer,
        path.open("wb") as file,
    ):
        answer.raise_for_status()
        for piece in answer.iter_content(1 << 20):
            file.write(piece)
    return path.stat().st_size


def peaks_mb(server: Server) -> dict[str, float]:
    """The most memory that each process of an export had."""
    return {"server": peak_mb(server.process.pid), "store": peak_mb(server.store_pid())}


def measure(database: str, url: str, minutes: int) -> list[Row]:
    """Make the recordings, then export them in both forms, each on a server of its own."""
    add_recording(url, SHORT, SHORT_S)
    samples = add_recording(url, LONG, 60 * minutes)
    rows: list[Row] = []
    for form in FORMS:
        with (
            tempfile.TemporaryDirectory() as folder,
            Server(MIEN_WORKERS="1", MIEN_HOST_TOKEN=TOKEN, MIEN_DATABASE_URL=url) as server,
        ):
            path = Path(folder) / "export.zip"
            download(server, SHORT, form, path)
            before = peaks_mb(server)
            start_s = time.perf_counter()
            size = download(server, LONG, form, path)
            took_s = time.perf_counter() - start_s
            growth = {f"{name} grew MB": peak - before[name] for name, peak in peaks_mb(server).items()}
        rows.append(
            {"database": database, "form": form, "samples": samples, "s": took_s, "MB": size / 1e6, **growth}
        )
    return rows


def main(minutes: int = MINUTES) -> list[Goal]:
    """Measure, print, and say what of the goals was reached."""
    programs = find_postgres()
    if programs is None:
        sys.exit("PostgreSQL is needed: apt install postgresql")
    with tempfile.TemporaryDirectory() as folder, running_postgres(programs) as postgres:
        rows = measure("SQLite", f"sqlite:///{folder}/mien.sqlite", minutes)
        rows += measure("PostgreSQL", postgres.url, minutes)
    print_rows(f"Export of {minutes} minutes of thirty people", rows)
    write_json("export", rows)
    return [
        Goal(
            f"{line['database']}, {line['form']}: memory of the {name}, MB over a short export",
            float(str(line[f"{name} grew MB"])),
            GROWTH_LIMIT_MB,
            at_most=True,
        )
        for line in rows
        for name in ("server", "store")
    ]


if __name__ == "__main__":
    goals = main(int(sys.argv[1])) if len(sys.argv) == 2 else main()
    print_goals(goals)
    write_goals("export_goals", goals)
    sys.exit(not all(goal.reached for goal in goals))
