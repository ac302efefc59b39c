"""nginx with the files of deploy/cluster, in front of whatever listens on some ports."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.helpers.serving import free_port
from tests.helpers.waiting import wait_until
from webapp.cli.cluster.layout import Layout, Node
from webapp.cli.cluster.nginx import write_nginx_files

TIMEOUT_S = 120.0


@contextmanager
def running_nginx(folder: Path, ports: dict[str, int]) -> Iterator[str]:
    """nginx in front of nodes with these names, as `make cluster` starts it; its address."""
    program = shutil.which("nginx")
    if program is None:
        pytest.skip("nginx is not installed")
    nodes = tuple(Node(name, port, workers=1) for name, port in ports.items())
    layout = Layout(folder, "127.0.0.1", free_port(), redis_port=0, postgres_port=0, nodes=nodes)
    main_file = write_nginx_files(layout)
    process = subprocess.Popen([program, "-p", str(folder), "-e", "stderr", "-c", str(main_file)])
    try:
        wait_until(lambda: process.poll() is not None or (folder / "nginx" / "nginx.pid").exists(), TIMEOUT_S)
        assert process.poll() is None, "nginx refused its files"
        yield f"http://127.0.0.1:{layout.port}"
    finally:
        process.terminate()
        process.wait(TIMEOUT_S)
