"""Ports, shares and secrets of a cluster on this machine."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.helpers.serving import free_port
from webapp.cli.cluster.layout import Layout, free_ports
from webapp.config import Settings
from webapp.errors import ClusterError


def layout(folder: Path, workers: int = 2) -> Layout:
    return Layout.of(Settings(port=free_port(), workers=workers, data_dir=folder))


@pytest.mark.parametrize(("cores", "shares"), [(1, [1, 1]), (2, [1, 1]), (5, [3, 2]), (8, [4, 4])])
def test_nodes_share_the_workers(tmp_path: Path, cores: int, shares: list[int]) -> None:
    assert [node.workers for node in layout(tmp_path, cores).nodes] == shares


def test_every_process_has_a_port_of_its_own(tmp_path: Path) -> None:
    made = layout(tmp_path)
    ports = [made.port, made.redis_port, made.postgres_port, *(node.port for node in made.nodes)]
    assert len(set(ports)) == 5


@pytest.mark.parametrize("port", [5000, 40123, 65535])
def test_no_port_is_one_that_an_outgoing_connection_could_take(tmp_path: Path, port: int) -> None:
    made = Layout.of(Settings(host="127.0.0.2", port=port, data_dir=tmp_path))
    assert all(node.port < 32768 for node in made.nodes)
    assert max(made.redis_port, made.postgres_port) < 32768


def test_ports_that_are_taken_are_passed_over() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert port not in free_ports(port, 3)


def test_a_port_without_enough_others_above_it_is_refused() -> None:
    with pytest.raises(ClusterError, match="lower MIEN_PORT"):
        free_ports(65534, 4)


def test_the_port_of_another_server_is_refused_with_advice(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ClusterError, match=f"Port {port} .*MIEN_PORT"):
            Layout.of(Settings(port=port, data_dir=tmp_path))


def test_a_secret_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    made = layout(tmp_path)
    made.folder.mkdir()
    assert made.secret("redis") == made.secret("redis") != made.secret("postgres")
    assert (made.folder / "redis.secret").stat().st_mode & 0o077 == 0
