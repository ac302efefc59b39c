"""A node of a cluster on this machine, and nginx in front: their programs."""

from __future__ import annotations

import http.client
import sys
import urllib.request
from collections.abc import Mapping

from webapp.cli.cluster.child import Program
from webapp.cli.cluster.layout import Layout, Node
from webapp.cli.cluster.nginx import write_nginx_files
from webapp.cli.cluster.programs import Programs
from webapp.config import PROJECT_ROOT, Settings, child_environment

TIMEOUT_S = 5.0
STORE_READY = b"mien_store_ready 1.0"

NODE_STOP_TIMEOUT_S = 30.0
"""A node drains within 10 s; more only on a machine that is very busy."""


def node_program(layout: Layout, node: Node, settings: Settings, environment: Mapping[str, str]) -> Program:
    """One node, with what it shares with the others and what is its own.

    `environment` is what we were started with; its settings hold for nodes too.
    """
    folder = layout.folder / "nodes" / node.name
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    own = {
        "MIEN_HOST": "127.0.0.1",
        "MIEN_PORT": str(node.port),
        "MIEN_NODE": node.name,
        "MIEN_WORKERS": str(node.workers),
        "MIEN_DATA_DIR": str(folder),
        "MIEN_HTTPS": "0",
        "MIEN_PROXIES": str(settings.proxies + 1),
    }
    shared = {
        "MIEN_DATABASE_URL": layout.database_url,
        "MIEN_REDIS_URL": layout.redis_url,
        "MIEN_SECRET_KEY": layout.secret("session"),
    }
    return Program(
        f"node {node.name}",
        (sys.executable, str(PROJECT_ROOT / "wsgi.py")),
        layout.log(f"node-{node.name}"),
        lambda: _node_is_ready(node),
        {**environment, **own, **shared},
        stop_timeout_s=NODE_STOP_TIMEOUT_S,
    )


def nginx_program(layout: Layout, programs: Programs) -> Program:
    """Nginx, with the files in deploy/cluster/nginx."""
    main_file = write_nginx_files(layout)
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(layout.host, layout.host)  # noqa: S104 - compared
    return Program(
        "nginx",
        (str(programs.nginx), "-p", str(main_file.parent), "-e", "stderr", "-c", str(main_file)),
        layout.log("nginx"),
        lambda: _get(f"http://{host}:{layout.port}/healthz") is not None,
        child_environment(),
    )


def _node_is_ready(node: Node) -> bool:
    """Whether it can analyze frames and serve rooms."""
    if _get(f"http://{node.address}/readyz") is None:
        return False
    metrics = _get(f"http://{node.address}/metrics")
    return metrics is not None and STORE_READY in metrics


def _get(url: str) -> bytes | None:
    """What a server of ours answers with 200, or None."""
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:  # noqa: S310 - our own address
            return bytes(answer.read())
    except (OSError, http.client.HTTPException):
        return None
