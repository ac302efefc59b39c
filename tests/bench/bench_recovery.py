"""How soon a server recovers and stops: `python -m tests.bench.bench_recovery`, in about a minute."""

from __future__ import annotations

import os
import signal
import time

from tests.bench.report import Goal, print_goals, write_goals
from tests.helpers.serving import Server
from tests.helpers.waiting import wait_until

WORKERS = 2


def recovery_s(server: Server) -> float:
    """The seconds until a server whose workers were all killed can answer again."""
    killed = server.worker_pids()
    start_s = time.monotonic()
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: len(set(server.worker_pids()) - set(killed)) == WORKERS)
    wait_until(server.is_ready)
    return time.monotonic() - start_s


def stop_s(server: Server) -> float:
    """The seconds from SIGTERM until the process has ended."""
    start_s = time.monotonic()
    server.stop()
    return time.monotonic() - start_s


def main() -> list[Goal]:
    """Measure, and say what of the goals was reached."""
    server = Server(MIEN_WORKERS=str(WORKERS))
    server.start()
    stopped_at_once_s = stop_s(server)
    server.start()
    recovered_s = recovery_s(server)
    return [
        Goal("all workers killed: until ready again, s", recovered_s, 5, at_most=True),
        Goal("stopped while it still starts its store, s", stopped_at_once_s, 10, at_most=True),
        Goal("stopped, s", stop_s(server), 10, at_most=True),
    ]


if __name__ == "__main__":
    reached = main()
    print_goals(reached)
    write_goals("recovery", reached)
