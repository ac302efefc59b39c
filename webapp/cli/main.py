"""The command `mien` and its subcommands; each is loaded when it is used."""

from __future__ import annotations

import importlib

import click

from webapp.version import VERSION

COMMANDS = {
    "analyze": "webapp.cli.analyze",
    "serve": "webapp.cli.serve",
    "cluster": "webapp.cli.cluster.command",
    "doctor": "webapp.cli.doctor",
    "backup": "webapp.cli.backup",
    "restore": "webapp.cli.backup",
}


class Commands(click.Group):
    """Finds the subcommands, which are functions of their name in the modules of COMMANDS."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order in which help lists them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in COMMANDS:
            return None
        command = getattr(importlib.import_module(COMMANDS[cmd_name]), cmd_name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="mien")
def main() -> None:
    """Mien recognizes facial expressions, live in the browser and in files.

    Everything stays on this machine. `mien COMMAND --help` explains each command. Settings are MIEN_
    environment variables; docs/settings.md lists them.
    """
