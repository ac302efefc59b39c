"""Starts the processes of a cluster in order, keeps them running, and stops them in order."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress

from webapp.cli.cluster.child import Child, Program
from webapp.cli.cluster.layout import Layout
from webapp.cli.cluster.node import nginx_program, node_program
from webapp.cli.cluster.postgres import postgres_program, prepare_database
from webapp.cli.cluster.programs import Programs
from webapp.cli.cluster.redis import redis_program
from webapp.cli.stopping import StopRequest
from webapp.config import Settings, serving_environment
from webapp.errors import ClusterError
from webapp.server.data_dir import write_file

START_TIMEOUT_S = 180.0
"""Long: a start waits for the disk and for the cores, and only a failure needs all of it."""

POLL_S = 0.1


class Cluster:
    """All processes. One thread calls it."""

    def __init__(
        self,
        layout: Layout,
        settings: Settings,
        programs: Programs,
        stop: StopRequest,
        say: Callable[[str], None],
    ) -> None:
        self._layout = layout
        self._settings = settings
        self._programs = programs
        self._stop = stop
        self._say = say
        self._children: list[Child] = []

    def start(self) -> None:
        """Start everything, and write the state file when all of it is ready.

        Raises:
            ClusterError: something ended, or was not ready in time.
            StopRequestedError: somebody wants it to end.
        """
        layout = self._layout
        self._keep_old_logs()
        self._say(f"starting PostgreSQL and Redis; everything is kept in {layout.folder}")
        self._run(postgres_program(layout, self._programs), redis_program(layout, self._programs))
        prepare_database(layout)
        self._say(f"starting {len(layout.nodes)} nodes")
        environment = serving_environment()
        self._run(*(node_program(layout, node, self._settings, environment) for node in layout.nodes))
        self._run(nginx_program(layout, self._programs))
        self._write_state()

    def watch(self) -> None:
        """Start again whatever ends, until somebody wants all of it to end.

        Raises:
            StopRequestedError: now.
        """
        while True:
            self._stop.check()
            changed = [child for child in self._children if child.watch()]
            if changed:
                self._say(", ".join(f"{child.program.name} is process {child.pid}" for child in changed))
                self._write_state()
            time.sleep(POLL_S)

    def end(self) -> None:
        """Stop everything in order: first who asks, then who answers. A second Ctrl-C kills all of it."""
        try:
            for group in self._groups():
                for child in group:
                    child.ask_to_stop()
                for child in group:
                    child.stop()
        except KeyboardInterrupt:
            self._say("killing everything")
            for child in self._children:
                child.kill()
        self._layout.state_file.unlink(missing_ok=True)

    def _run(self, *programs: Program) -> None:
        """Start programs side by side, and wait until all are ready."""
        children = [Child(program, self._programs.setpriv, self._say) for program in programs]
        for child in children:
            self._children.append(child)
            child.start()
        for child in children:
            self._wait_until_ready(child)

    def _wait_until_ready(self, child: Child) -> None:
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while not child.check_start():
            self._stop.check()
            if time.monotonic() > deadline_s:
                raise ClusterError(
                    f"{child.program.name} was not ready in {START_TIMEOUT_S:g} s; its log is "
                    f"{child.program.log}."
                )
            time.sleep(POLL_S)

    def _groups(self) -> list[list[Child]]:
        """Who is stopped at the same time, in order: nginx, the nodes, Redis, PostgreSQL."""
        named = {child.program.name: child for child in self._children}
        nodes = [child for name, child in named.items() if name.startswith("node ")]
        single = [[named[name]] if name in named else [] for name in ("nginx", "redis", "postgres")]
        return [single[0], nodes, *single[1:]]

    def _write_state(self) -> None:
        pids = {child.program.name: child.pid for child in self._children}
        nodes = [{"pid": pids[f"node {node.name}"], "port": node.port} for node in self._layout.nodes]
        state = {name: pids[name] for name in ("nginx", "redis", "postgres")} | {"nodes": nodes}
        write_file(self._layout.state_file, json.dumps(state, indent=1).encode() + b"\n")

    def _keep_old_logs(self) -> None:
        """Begin new logs, and keep those of the start before."""
        folder = self._layout.log("any").parent
        folder.mkdir(exist_ok=True)
        for log in folder.glob("*.log"):
            with suppress(OSError):
                log.replace(log.with_suffix(".log.1"))
