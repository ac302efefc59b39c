"""`mien serve`: the server for the network, as `make serve` starts it."""

from __future__ import annotations

import os
import sys

import click

from webapp.config import PROJECT_ROOT, serving_environment


@click.command()
def serve() -> None:
    """Start the server for the network, with https on port 8443.

    Settings are MIEN_ environment variables, such as MIEN_PORT=443 mien serve. MIEN_HTTPS=0
    MIEN_HOST=127.0.0.1 serves this machine alone. Stop it with Ctrl-C.
    """
    # A fresh process: eventlet has to replace sockets and threads before anything else is imported.
    program = [sys.executable, str(PROJECT_ROOT / "wsgi.py")]
    os.execve(sys.executable, program, serving_environment())  # noqa: S606 - no shell is wanted
