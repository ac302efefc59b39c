"""The two files that nginx needs beside those in deploy/cluster/nginx: the nodes, and what surrounds them."""

from __future__ import annotations

import os
import resource
from collections.abc import Sequence
from pathlib import Path

from webapp.cli.cluster.layout import SHIPPED, Layout
from webapp.server.data_dir import write_file

DOWN = "max_fails=1 fail_timeout=2s"
"""One failure is enough, as a request goes elsewhere at once; two seconds later the node is tried again."""

NEVER_DOWN = "max_fails=0"
"""In the group that is asked while no node is ready."""

KEPT_CONNECTIONS = 32
"""Idle ones to the nodes, of each of nginx's workers and each group."""

MAX_CONNECTIONS = 16384
"""Of each of nginx's workers, where so many descriptors are allowed; a client needs two."""

BODIES = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")

GROUPS = {
    "rooms": "hash $mien_room consistent;",
    "browsers": "hash $remote_addr$http_user_agent consistent;",
    "any": "least_conn;",
    "last": "hash $mien_room consistent;",
}
"""Who shares which requests, and how; routing.conf says which request is whose."""


def nodes_file(nodes: Sequence[tuple[str, str]]) -> str:
    """nodes.conf for nodes of these names and addresses: the groups of routing.conf, and each node alone."""
    groups = [
        _upstream(f"mien_{name}", [rule, *_servers(nodes, NEVER_DOWN if name == "last" else DOWN)])
        for name, rule in GROUPS.items()
    ]
    alone = [_upstream(f"mien_node_{name}", [f"server {address};"]) for name, address in nodes]
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


def _servers(nodes: Sequence[tuple[str, str]], failing: str) -> list[str]:
    return [f"server {address} {failing};" for _, address in nodes]


def _upstream(name: str, lines: Sequence[str]) -> str:
    inside = (f"zone {name} 64k;", *lines, f"keepalive {KEPT_CONNECTIONS};")
    return f"upstream {name} {{\n" + "".join(f"    {line}\n" for line in inside) + "}\n"


def _main_file(layout: Layout, folder: Path) -> str:
    """Plain http on one port, as whoever started the cluster."""
    user = "user root;\n" if os.geteuid() == 0 else ""
    host = f"[{layout.host}]" if ":" in layout.host else layout.host
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    files = MAX_CONNECTIONS if allowed == resource.RLIM_INFINITY else min(MAX_CONNECTIONS, allowed)
    bodies = "".join(f'    {name}_temp_path "{folder}/{name}";\n' for name in BODIES)
    return (
        f'{user}daemon off;\npid "{folder}/nginx.pid";\nerror_log stderr warn;\n'
        "worker_processes auto;\nworker_shutdown_timeout 10s;\n"
        f"worker_rlimit_nofile {files};\nevents {{\n    worker_connections {files};\n}}\n"
        f"http {{\n    access_log off;\n{bodies}"
        f'    include "{SHIPPED}/nginx/routing.conf";\n    include "{folder}/nodes.conf";\n'
        f"    server {{\n        listen {host}:{layout.port};\n"
        f'        include "{SHIPPED}/nginx/proxy.conf";\n    }}\n}}\n'
    )
