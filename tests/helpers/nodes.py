"""Nodes of one database: real servers, and what their logs say of who served which room when."""

from __future__ import annotations

import itertools
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, Self

from socketio.exceptions import SocketIOError

from tests.helpers.room_client import TOKEN, SocketClient
from tests.helpers.serving import PROJECT_ROOT, START_TIMEOUT_S, Server
from tests.helpers.waiting import wait_until

SECRET_KEY = "the-same-key-for-all-nodes-of-these-tests"

LINE = re.compile(
    r"(?P<at>\S+ \S+) \w+ (?P<node>\w+) mien\.ownership: "
    r"(?:room (?P<room>\w+) (?P<what>taken|given up|lost) .*?(?:served until (?P<until>\S+))?|killed)$"
)


class Node(Server):
    """A server among others; its log goes to a file."""

    def __init__(self, name: str, database_url: str, folder: Path, **settings: str) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        super().__init__(
            MIEN_NODE=name,
            MIEN_DATABASE_URL=database_url,
            MIEN_WORKERS="1",
            MIEN_HOST_TOKEN=TOKEN,
            **{"MIEN_SECRET_KEY": SECRET_KEY, **settings},
        )

    def start(self) -> None:
        """Start the process and wait until it is ready."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "wsgi.py"],
                cwd=PROJECT_ROOT,
                env=os.environ | self.settings | {"TZ": "UTC"},
                stderr=log,
            )
        self.wait_until_ready(10 * START_TIMEOUT_S)  # two of them start at once

    def kill(self) -> None:
        """Kill the server's process alone; the log says when it served no more."""
        self.process.kill()
        self.process.wait(30)
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S,%f")[:-3]
        with self.log.open("a") as log:
            log.write(f"{now} INFO {self.name} mien.ownership: killed\n")

    def freeze(self) -> None:
        """Let the server's process do nothing until `thaw`."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on, as if nothing had happened."""
        self.process.send_signal(signal.SIGCONT)

    def locks_pid(self) -> int:
        """The process id of the one that holds its locks."""
        (pid,) = self._children("webapp.store.nodes.process")
        return pid


class Period(NamedTuple):
    """A node served a room; `end_s` is infinite where its log says nothing of an end."""

    start_s: float
    end_s: float
    node: str


def periods(logs: Iterable[Path]) -> dict[str, list[Period]]:
    """When which node served each room, by their logs, in the order of the starts."""
    found: defaultdict[str, list[Period]] = defaultdict(list)
    for log in logs:
        open_s: dict[str, float] = {}
        for line in filter(None, map(LINE.search, log.read_text().splitlines())):
            at_s, node = _seconds(line["at"]), line["node"]
            if line["what"] == "taken":
                open_s[line["room"]] = at_s
                continue
            end_s = datetime.fromisoformat(line["until"]).timestamp() if line["until"] else at_s
            for room in [line["room"]] if line["room"] else list(open_s):
                found[room].append(Period(open_s.pop(room), end_s, node))
        for room, start_s in open_s.items():
            found[room].append(Period(start_s, float("inf"), node))
    return {room: sorted(ones) for room, ones in found.items()}


def assert_one_node_at_a_time(logs: Iterable[Path]) -> dict[str, list[Period]]:
    """No room was served by two nodes at once; when each served which."""
    of_rooms = periods(logs)
    for room, ones in of_rooms.items():
        for before, after in zip(ones, ones[1:], strict=False):
            assert before.end_s <= after.start_s, f"{room} was served twice: {before}, {after}"
    return of_rooms


def _seconds(at: str) -> float:
    return datetime.strptime(at, "%Y-%m-%d %H:%M:%S,%f").replace(tzinfo=UTC).timestamp()


class MovingParticipant:
    """A participant who sends frames and looks for the node of the room, as our page does behind a proxy.

    `results` counts the frames that were answered with a result, `joins` how often the room was joined, and
    `gaps_s` has the times without a connection that was joined.
    """

    def __init__(self, nodes: Sequence[Node], room: str, jpeg: bytes, frames_per_s: float) -> None:
        self._nodes, self._room, self._jpeg = nodes, room, jpeg
        self._interval_s = 1 / frames_per_s
        self._resume: str | None = None
        self._left = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.ids: set[str] = set()
        self.problems: Counter[str] = Counter()
        self.joins = self.results = 0
        self.node = ""
        self.gaps_s: list[float] = []

    def start(self) -> Self:
        """Join, and begin to send."""
        self._thread.start()
        wait_until(lambda: self.joins)
        return self

    def stop(self) -> None:
        """Send nothing more."""
        self._stopping.set()
        self._thread.join(60)

    def _run(self) -> None:
        for node in itertools.cycle(self._nodes):
            left_s = time.monotonic()
            if self._stopping.is_set():
                return
            client = SocketClient(20)
            self._left.clear()
            client.on("disconnect", lambda *_: self._left.set())
            client.on("not_here", lambda *_: self._left.set())
            try:
                client.connect(f"{node.url}?room={self._room}")
                self._be_there(client, node, left_s)
            except (SocketIOError, OSError):
                time.sleep(0.05)
            finally:
                client.disconnect()

    def _be_there(self, client: SocketClient, node: Node, left_s: float) -> None:
        consent = {"room": self._room, "alias": "", "consent": True, "resume": self._resume}
        joined = client.call("join", consent, timeout=20)
        if "problem" in joined:
            self.problems[joined["problem"]["code"]] += 1
            return
        self._resume, self.node = joined["resume"], node.name
        self.ids.add(joined["participant"])
        self.joins += 1
        self.gaps_s.append(time.monotonic() - left_s)
        while not self._left.is_set() and not self._stopping.wait(self._interval_s):
            meta = {"seq": 1, "captured_ms": 1000 * time.time()}
            answer = client.call("frame", (meta, self._jpeg), timeout=20)
            if "problem" in answer:
                self.problems[answer["problem"]["code"]] += 1
            else:
                self.results += 1
