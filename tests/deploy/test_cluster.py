"""`make cluster`: two nodes behind nginx, with PostgreSQL and Redis, from the files in deploy/cluster."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
import requests
import socketio.exceptions
from redis import Redis, RedisError

from tests.helpers.cluster import ReturningParticipant, RunningCluster, connected, is_running
from tests.helpers.room_client import TOKEN, Answer, ParticipantClient, api, make_room
from tests.helpers.serving import PROJECT_ROOT, free_port
from tests.helpers.waiting import wait_until

RECOVERY_TIMEOUT_S = 120.0
"""Generous: it only decides how soon a failure is known."""

LINK = re.compile(r"(http://localhost:\d+/host\?token=([0-9a-f]{32}))\s")
"""For the first account, as the terminal shows it."""

RESTART = """
import json, os, pathlib, signal, sys, time
state, unit = pathlib.Path(sys.argv[1]), sys.argv[2]
number = int(unit.removeprefix("mien@")) - 1
pid = json.loads(state.read_text())["nodes"][number]["pid"]
os.kill(pid, signal.SIGTERM)
while json.loads(state.read_text())["nodes"][number]["pid"] == pid:
    time.sleep(0.1)
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[RunningCluster]:
    with RunningCluster(MIEN_WORKERS="2", MIEN_HOST_TOKEN=TOKEN) as running:
        yield running


def start_another(**settings: str) -> subprocess.CompletedProcess[str]:
    """A start that is to fail at once."""
    command = [sys.executable, "-m", "webapp", "cluster"]
    environment = os.environ | settings
    return subprocess.run(
        command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def rejoin(cluster: RunningCluster, code: str, resume: str) -> tuple[ParticipantClient, Answer]:
    """Connect and join again, as a page does until it is back; whoever asked disconnects it."""
    found: list[tuple[ParticipantClient, Answer]] = []

    def is_back() -> bool:
        one = ParticipantClient(cluster, room=code)
        try:
            one.__enter__()
            joined = one.join(code, resume=resume)
        except socketio.exceptions.SocketIOError:
            one.__exit__()
            return False
        if "problem" in joined:
            one.__exit__()
            return False
        found.append((one, joined))
        return True

    wait_until(is_back, RECOVERY_TIMEOUT_S)
    return found[0]


def shown(cluster: RunningCluster, name: str) -> str:
    """The value of a setting of the PostgreSQL that runs."""
    password = (cluster.folder / "postgres.secret").read_text()
    port = postgres_port(cluster)
    with psycopg.connect(host="127.0.0.1", port=port, user="mien", password=password, dbname="mien") as link:
        (row,) = link.execute(f"SHOW {name}").fetchall()
    return str(row[0])


def postgres_port(cluster: RunningCluster) -> int:
    """The port in its command line."""
    words = Path(f"/proc/{cluster.state()['postgres']}/cmdline").read_text().split("\0")
    (port,) = [word.removeprefix("port=") for word in words if word.startswith("port=")]
    return int(port)


def redis_of(cluster: RunningCluster) -> Redis:
    settings = dict(
        line.split(" ", 1) for line in (cluster.folder / "redis" / "redis.conf").read_text().splitlines()
    )
    return Redis(port=int(settings["port"]), password=settings["requirepass"], socket_timeout=30)


def test_the_settings_that_are_shipped_are_in_force(cluster: RunningCluster) -> None:
    assert (shown(cluster, "max_wal_size"), shown(cluster, "tcp_keepalives_idle")) == ("2GB", "5")
    assert redis_of(cluster).config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    main_file = (cluster.folder / "nginx" / "nginx.conf").read_text()
    assert f"{PROJECT_ROOT}/deploy/cluster/nginx/proxy.conf" in main_file


def test_postgresql_and_redis_want_their_passwords(cluster: RunningCluster) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host="127.0.0.1", port=postgres_port(cluster), user="mien", dbname="mien")
    for name in ("postgres", "redis", "session"):
        assert (cluster.folder / f"{name}.secret").stat().st_mode & 0o077 == 0


def test_rooms_are_listed_by_every_node(cluster: RunningCluster) -> None:
    code = make_room(cluster)
    for node in cluster.state()["nodes"]:
        answer = requests.get(
            f"http://127.0.0.1:{node['port']}/api/v1/rooms",
            headers={"Authorization": f"Bearer {TOKEN}"},
            timeout=60,
        )
        assert code in {room["code"] for room in answer.json()["rooms"]}


def test_everybody_of_a_room_is_on_one_node(cluster: RunningCluster, astronaut_jpeg: bytes) -> None:
    for _ in range(3):
        code = make_room(cluster)
        before = cluster.participants()
        with ExitStack() as connections:
            for _ in range(3):
                one = connections.enter_context(ParticipantClient(cluster, room=code))
                assert "participant" in one.join(code, alias="")
                assert "faces" in one.send(astronaut_jpeg)
            after = cluster.participants()
            assert sorted(now - then for now, then in zip(after, before, strict=True)) == [0, 3]
            assert api(cluster, "GET", f"/rooms/{code}").status_code == 200
        wait_until(lambda before=before: cluster.participants() == before)  # type: ignore[misc]


def test_a_room_is_reached_wherever_it_is(cluster: RunningCluster) -> None:
    """It stays for a while at the node that is asked first, even if nginx would have asked the other."""
    nodes = cluster.state()["nodes"]
    for number in range(6):
        code = make_room(cluster)
        first = nodes[number % 2]["port"]
        assert requests.get(f"http://127.0.0.1:{first}/r/{code}", timeout=60).status_code == 200
        assert api(cluster, "GET", f"/rooms/{code}").status_code == 200
        with ParticipantClient(cluster, room=code) as one:
            assert "participant" in one.join(code)
            assert connected(first) == 1
        wait_until(lambda first=first: connected(first) == 0)  # type: ignore[misc]


def test_nobody_else_may_use_its_folder(cluster: RunningCluster) -> None:
    done = start_another(MIEN_PORT=str(free_port()), MIEN_DATA_DIR=cluster.settings["MIEN_DATA_DIR"])
    assert done.returncode != 0
    assert "Another server" in done.stderr and "Stop it" in done.stderr


def test_a_port_that_is_taken_is_told(cluster: RunningCluster, tmp_path: Path) -> None:
    done = start_another(MIEN_PORT=str(cluster.port), MIEN_DATA_DIR=str(tmp_path))
    assert done.returncode != 0
    assert f"Port {cluster.port}" in done.stderr and "MIEN_PORT" in done.stderr


def test_participants_of_a_killed_node_are_back_and_so_is_the_node(
    cluster: RunningCluster, astronaut_jpeg: bytes
) -> None:
    code = make_room(cluster)
    with ParticipantClient(cluster, room=code) as one:
        joined = one.join(code)
        (number,) = [number for number, count in enumerate(cluster.participants()) if count]
        node = cluster.state()["nodes"][number]
        os.kill(node["pid"], signal.SIGKILL)
        wait_until(lambda: not one.client.connected, RECOVERY_TIMEOUT_S)
    back, again = rejoin(cluster, code, joined["resume"])
    assert again["participant"] == joined["participant"]
    assert "faces" in back.send(astronaut_jpeg)
    back.client.disconnect()
    wait_until(lambda: cluster.state()["nodes"][number]["pid"] != node["pid"], RECOVERY_TIMEOUT_S)
    assert cluster.state()["nodes"][number]["port"] == node["port"]
    wait_until(lambda: is_ready(node["port"]), RECOVERY_TIMEOUT_S)
    assert "was ended by SIGKILL" in cluster.output.read_text()


def is_ready(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=30).ok
    except requests.ConnectionError:
        return False


def test_a_rolling_restart_as_documented_loses_nobody(
    cluster: RunningCluster, tmp_path: Path, astronaut_jpeg: bytes
) -> None:
    code = make_room(cluster)
    with ReturningParticipant(cluster, code, astronaut_jpeg) as one:
        wait_until(lambda: one.analysed, RECOVERY_TIMEOUT_S)
        before = cluster.pids()
        run_rolling_restart(cluster, tmp_path)
        answered = one.analysed
        wait_until(lambda: one.analysed > answered, RECOVERY_TIMEOUT_S)
    assert not set(before[3:]) & set(cluster.pids())
    assert len(set(one.identities)) == 1
    assert len(one.identities) <= 1 + len(before[3:]), "a page moves once for each restart at most"


def run_rolling_restart(cluster: RunningCluster, folder: Path) -> None:
    """Run the commands of docs/operations.md, where `systemctl` ends a node and waits until another runs."""
    (commands,) = re.findall(
        r"<!-- test: rolling restart -->\n```\n(.*?)```",
        (PROJECT_ROOT / "docs" / "operations.md").read_text(),
        re.DOTALL,
    )
    ports = [str(node["port"]) for node in cluster.state()["nodes"]]
    (folder / "restart.py").write_text(RESTART)
    script = (
        f"set -euo pipefail\nports=(none {' '.join(ports)})\n"
        f"systemctl() {{ {sys.executable} {folder}/restart.py {cluster.folder}/cluster.json $2; }}\n"
    )
    script += commands.replace("500$node", "${ports[$node]}")
    subprocess.run(["bash", "-c", script], check=True, timeout=600)


@pytest.mark.parametrize("name", ["nginx", "redis", "postgres"])
def test_whatever_dies_is_started_again(cluster: RunningCluster, name: str) -> None:
    before = cluster.state()[name]
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: cluster.state()[name] != before, RECOVERY_TIMEOUT_S)
    wait_until(lambda: lists_rooms(cluster), RECOVERY_TIMEOUT_S)
    wait_until(lambda: has_redis(cluster), RECOVERY_TIMEOUT_S)


def has_redis(cluster: RunningCluster) -> bool:
    try:
        return bool(redis_of(cluster).ping())
    except RedisError:
        return False


def lists_rooms(cluster: RunningCluster) -> bool:
    try:
        return api(cluster, "GET", "/rooms").ok
    except requests.ConnectionError:
        return False


def test_sigterm_ends_every_process_and_the_next_start_has_the_rooms(cluster: RunningCluster) -> None:
    code = make_room(cluster)
    pids = cluster.pids()
    cluster.end()
    assert cluster.process.returncode == 0 or "stopping" in cluster.output.read_text()
    assert not [pid for pid in pids if is_running(pid)]
    assert not (cluster.folder / "cluster.json").exists()
    assert processes_of(cluster.folder) == []
    del cluster.settings["MIEN_HOST_TOKEN"]
    cluster.start()
    wait_until(lambda: LINK.search(cluster.output.read_text()), RECOVERY_TIMEOUT_S)
    link, token = LINK.findall(cluster.output.read_text())[-1]
    assert {requests.get(link, timeout=60).status_code for _ in range(4)} == {200}, "at every node"
    assert api(cluster, "GET", f"/rooms/{code}", token=token).status_code == 200


def processes_of(folder: Path) -> list[str]:
    """The command lines that name the folder, and those of processes whose settings do."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            text = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if str(folder).encode() in text:
            found.append(text.decode(errors="replace"))
    return found
