"""Lets atheris fuzz one target: `python -m tests.faults.fuzz.drive TARGET [libFuzzer's options and folders]`.

A process of its own: only what is imported here is instrumented, and the first failure ends it.
"""

from __future__ import annotations

import sys

import atheris

INSTRUMENTED = [
    *("webapp.vision.headers", "webapp.vision.decode", "webapp.ipc", "webapp.server", "webapp.codec"),
    *("webapp.protocol", "webapp.rooms.readiness", "webapp.analysis"),
    *("eventlet.websocket", "socketio.packet", "engineio.packet"),
]

with atheris.instrument_imports(include=INSTRUMENTED):
    from tests.faults.fuzz.targets import TARGETS


def main() -> None:
    """Fuzz until a limit among the options is reached, or an input fails."""
    target = TARGETS[sys.argv[1]]
    atheris.Setup([sys.argv[0], *sys.argv[2:]], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
