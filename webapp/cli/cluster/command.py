"""The command `mien cluster`, which `make cluster` runs."""

from __future__ import annotations

import time
from dataclasses import replace

import click

from webapp.accounts.first_access import first_token
from webapp.cli.cluster.layout import FOLDER, Layout
from webapp.cli.cluster.postgres import has_accounts
from webapp.cli.cluster.programs import ensure_programs
from webapp.cli.cluster.supervisor import Cluster
from webapp.cli.stopping import StopRequest, StopRequestedError
from webapp.config import Settings
from webapp.errors import ClusterError, MienError
from webapp.server.data_dir import prepare_data_dir
from webapp.server.folder_lock import FolderLock
from webapp.server.startup_banner import host_lines
from webapp.version import VERSION


@click.command()
def cluster() -> None:
    """Start two nodes behind nginx, with PostgreSQL and Redis, all on this machine.

    It serves plain http at MIEN_PORT until Ctrl-C or SIGTERM, from the files in deploy/cluster, and needs
    Debian's packages nginx, redis-server and postgresql; as root it installs those that are missing. The
    file cluster/cluster.json in the data folder (MIEN_DATA_DIR) says which processes run.
    """
    try:
        settings = _checked(Settings.from_env())
        _run(settings)
    except MienError as error:
        raise click.ClickException(str(error)) from error


def _checked(settings: Settings) -> Settings:
    if settings.https:
        raise ClusterError(
            "A cluster on one machine serves plain http: leave MIEN_HTTPS at 0. For https see "
            "deploy/cluster/nginx/site.conf."
        )
    if settings.database or settings.redis_url:
        _say("MIEN_DATABASE_URL and MIEN_REDIS_URL are not used: a cluster on one machine brings its own")
    return settings


def _run(settings: Settings) -> None:
    """Start, serve until a signal, and stop."""
    programs = ensure_programs(_say)
    folder = settings.data_dir.absolute() / FOLDER
    prepare_data_dir(settings.data_dir)
    prepare_data_dir(folder)
    lock = FolderLock(replace(settings, data_dir=folder, database=None))
    lock.start()
    try:
        layout = Layout.of(settings)
        with StopRequest() as stop:
            running = Cluster(layout, settings, programs, stop, _say)
            try:
                running.start()
                click.echo(_banner(layout) + _host_lines(layout, settings))
                running.watch()
            except StopRequestedError:
                _say("stopping")
            finally:
                running.end()
    finally:
        lock.stop()


def _banner(layout: Layout) -> str:
    nodes = ", ".join(f"{node.name} on port {node.port}" for node in layout.nodes)
    return (
        f"\n  Mien {VERSION} is on\n    {layout.url}/\n\n"
        f"  Behind it: {nodes}. Their logs are in {layout.folder / 'log'},\n"
        f"  and {layout.state_file} names the processes.\n\n  Stop with Ctrl-C.\n\n"
    )


def _host_lines(layout: Layout, settings: Settings) -> str:
    """Where researchers sign in; while nobody has an account, with the token of all nodes."""
    is_open = not settings.host_token and not has_accounts(layout)
    return host_lines(settings, first_token(layout.secret("session")) if is_open else None)


def _say(text: str) -> None:
    """A line of progress, with the time."""
    click.echo(f"{time.strftime('%H:%M:%S')} {text}")
