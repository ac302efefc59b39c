"""A room, and a database, of ten million samples."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import requests

from tests.faults.board import Board
from tests.faults.outcome import NOTHING, Outcome, at_least, at_most
from tests.helpers.large_database import make_large_database
from tests.helpers.room_client import TIMEOUT_S, TOKEN, ParticipantClient, api
from tests.helpers.scenes import moving_faces
from tests.helpers.serving import Server
from tests.helpers.waiting import wait_until

CODE = "LARGE234"

START_LIMIT_S = 5.0
ANSWER_LIMIT_S = 2.0
STORED_LIMIT_S = 5.0

FRAMES = 20

PROMISE = (
    "With ten million samples in a room, the server starts within 5 s, lists its rooms, shows the board and "
    "begins an export within 2 s each, and people join and are recorded as ever."
)


def run(samples: float, slower: float = 1.0) -> Outcome:
    """Make a database of so many samples, and use it; `slower` stretches the limits of time."""
    with tempfile.TemporaryDirectory(prefix="mien-large-") as folder:
        path = Path(folder, "mien.sqlite")
        return use(path, make_large_database(path, CODE, int(samples)), slower)


def use(path: Path, samples: int, slower: float = 1.0) -> Outcome:
    """Use a database that has so many samples."""
    server = Server(MIEN_HOST_TOKEN=TOKEN, MIEN_DATABASE_URL=f"sqlite:///{path}")
    empty = Server(MIEN_HOST_TOKEN=TOKEN)
    empty_s = took_s(empty.start)
    empty.stop()
    start_s = took_s(lambda: _start(server))
    try:
        figures = (
            at_most("start, until the rooms are listed, s", start_s, slower * START_LIMIT_S),
            at_most("longer than an empty server took, s", start_s - empty_s, slower * START_LIMIT_S / 2),
            *(at_most(f"{what}, s", took_s(use), slower * ANSWER_LIMIT_S) for what, use in _uses(server)),
            at_most(f"{FRAMES} new frames analyzed and stored, s", _record(server), slower * STORED_LIMIT_S),
            at_least("samples counted in the background", _counted(server, samples), samples),
        )
    finally:
        server.stop()
    size_gb = path.stat().st_size / 1e9
    done = f"A room of {samples:,} samples, {size_gb:.1f} GB, was loaded, shown, exported and recorded into"
    return Outcome(PROMISE, done, NOTHING, figures)


def took_s(use: Callable[[], object]) -> float:
    """How long something takes."""
    start_s = time.monotonic()
    use()
    return time.monotonic() - start_s


def _start(server: Server) -> None:
    server.start()
    assert [room["code"] for room in api(server, "GET", "/rooms").json()["rooms"]] == [CODE]


def _uses(server: Server) -> list[tuple[str, Callable[[], object]]]:
    return [
        ("list of the rooms", lambda: api(server, "GET", "/rooms")),
        ("the room, as the API has it", lambda: api(server, "GET", f"/rooms/{CODE}")),
        ("first state of the board", lambda: _open_board(server)),
        *(
            (f"first byte of the export as {form}", lambda form=form: _begin_export(server, form))
            for form in ("csv", "parquet", "bids")
        ),
    ]


def _open_board(server: Server) -> None:
    with Board(server, CODE) as board:
        wait_until(lambda: board.updates > 0)


def _begin_export(server: Server, form: str) -> None:
    url = f"{server.url}/api/v1/rooms/{CODE}/export.zip?format={form}"
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_S) as answer:
        assert answer.status_code == 200, answer.text
        assert next(answer.iter_content(1)) == b"P", "a ZIP file"


def _record(server: Server) -> float:
    """Somebody joins and is recorded; the time until all of their frames are stored."""
    images = moving_faces(count=FRAMES)
    with Board(server, CODE) as board, ParticipantClient(server) as one:
        assert "participant" in one.join(CODE)
        assert api(server, "POST", f"/rooms/{CODE}/recording", {"state": "started"}).status_code == 200
        start_s = time.monotonic()
        sent = sum("faces" in one.send(image) for image in images)
        wait_until(lambda: board.waiting == 0 and board.stored >= sent > 0)
        took_s = time.monotonic() - start_s
        assert api(server, "POST", f"/rooms/{CODE}/recording", {"state": "stopped"}).status_code == 200
    return took_s


def _counted(server: Server, samples: int) -> int:
    """What the API says to be stored, once all of it was counted."""
    stored = 0

    def is_counted() -> bool:
        nonlocal stored
        stored = api(server, "GET", f"/rooms/{CODE}").json()["samples"]["stored"]
        return bool(stored >= samples)

    wait_until(is_counted, 600)
    return stored
