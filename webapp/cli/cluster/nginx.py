"""The two files that nginx needs beside those in deploy/cluster/nginx: the nodes, and what surrounds them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from webapp.cli.cluster.layout import SHIPPED, Layout
from webapp.server.data_dir import write_file

DOWN = "max_fails=1 fail_timeout=2s"
"""One failure is enough, as a request goes elsewhere at once; two seconds later the node is tried again."""

KEPT_CONNECTIONS = 32
"""Idle ones to the nodes, of each of nginx's workers and each group."""

MAX_CONNECTIONS = 16384
"""Of each of nginx's workers; a client needs two, one on either side."""

BODIES = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")

GROUPS = {
    "rooms": "hash $mien_room consistent;",
    "browsers": "hash $remote_addr$http_user_agent consistent;",
    "any": "least_conn;",
}
"""Who shares which requests, and how; routing.conf says which request is whose."""


def nodes_file(nodes: Sequence[tuple[str, str]]) -> str:
    """nodes.conf for nodes of these names and addresses: the groups of routing.conf, and each node alone."""
    everyone = "".join(f"    server {address} {DOWN};\n" for _, address in nodes)
    groups = [_upstream(f"mien_{name}", f"    {rule}\n{everyone}") for name, rule in GROUPS.items()]
    alone = [_upstream(f"mien_node_{name}", f"    server {address};\n") for name, address in nodes]
    names = "".join(f"    {name} mien_node_{name};\n" for name, _ in nodes)
    named = f"map $mien_node $mien_named_node {{\n    default mien_any;\n{names}}}\n"
    return "\n".join([*groups, *alone, named])


def write_nginx_files(layout: Layout) -> Path:
    """Write the files of a cluster on this machine; the main one."""
    folder = layout.folder / "nginx"
    folder.mkdir(exist_ok=True)
    nodes = [(node.name, node.address) for node in layout.nodes]
    write_file(folder / "nodes.conf", nodes_file(nodes).encode())
    write_file(folder / "nginx.conf", _main_file(layout, folder).encode())
    return folder / "nginx.conf"


def _upstream(name: str, lines: str) -> str:
    return f"upstream {name} {{\n    zone {name} 64k;\n{lines}    keepalive {KEPT_CONNECTIONS};\n}}\n"


def _main_file(layout: Layout, folder: Path) -> str:
    """Plain http on one port, as whoever started the cluster."""
    user = "user root;\n" if os.geteuid() == 0 else ""
    host = f"[{layout.host}]" if ":" in layout.host else layout.host
    bodies = "".join(f'    {name}_temp_path "{folder}/{name}";\n' for name in BODIES)
    return (
        f'{user}daemon off;\npid "{folder}/nginx.pid";\nerror_log stderr warn;\n'
        "worker_processes auto;\nworker_shutdown_timeout 10s;\n"
        f"worker_rlimit_nofile {2 * MAX_CONNECTIONS};\n"
        f"events {{\n    worker_connections {MAX_CONNECTIONS};\n}}\n"
        f"http {{\n    access_log off;\n{bodies}"
        f'    include "{SHIPPED}/nginx/routing.conf";\n    include "{folder}/nodes.conf";\n'
        f"    server {{\n        listen {host}:{layout.port};\n"
        f'        include "{SHIPPED}/nginx/proxy.conf";\n    }}\n}}\n'
    )
