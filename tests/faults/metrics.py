"""What a server's /metrics say of its processes."""

from __future__ import annotations

import re

import requests

from tests.helpers.serving import Server

TIMEOUT_S = 30


def restarts(server: Server, process: str) -> int:
    """How often a `worker`, or the `store`, had to be started again."""
    metrics = requests.get(f"{server.url}/metrics", timeout=TIMEOUT_S).text
    (count,) = re.findall(rf"^mien_{process}_restarts_total (\S+)", metrics, re.MULTILINE)
    return int(float(count))
