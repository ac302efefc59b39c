"""`mien doctor`: checks everything that a server or an analysis needs, and says what to do where it fails."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import click

from webapp.cli import checks
from webapp.config import Settings
from webapp.errors import MienError

CHECKS: dict[str, Callable[[Settings], Iterator[str]]] = {
    "face networks": checks.face_networks,
    "expression model": checks.expression_model,
    "video": checks.video,
    "worker": checks.worker,
    "data folder": checks.data_folder,
    "database": checks.database,
    "redis": checks.redis,
    "jobs": checks.jobs,
    "certificate": checks.certificate,
    "ports": checks.ports,
}


@click.command()
def doctor() -> None:
    """Check the models, a worker, what is kept and where, the certificate and the ports.

    Each line says ok, or what to do. Nothing is changed, and no camera is needed. Exit code 0 means that all
    is well, 1 that something is not.
    """
    try:
        settings = Settings.from_env()
    except MienError as error:
        click.echo(f"FAIL  settings: {error}")
        sys.exit(1)
    passed = [_passes(name, check, settings) for name, check in CHECKS.items()]
    sys.exit(0 if all(passed) else 1)


def _passes(name: str, check: Callable[[Settings], Iterator[str]], settings: Settings) -> bool:
    """Run a check and print what it says."""
    try:
        for line in check(settings):
            click.echo(f"ok    {name}: {line}")
    except Exception as error:  # noqa: BLE001 - whatever fails is what the user wants to know
        click.echo(f"FAIL  {name}: {error}")
        return False
    return True
