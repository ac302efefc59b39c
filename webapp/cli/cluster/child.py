"""One process of a cluster: started, watched, started again after growing pauses, and stopped."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from webapp.errors import ClusterError

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
"""Before a process that ended is started again; twice as long each time it ends soon."""

STEADY_S = 60.0
"""A process that ran for so long begins again with the first pause."""

REST_TIMEOUT_S = 5.0
"""What the children of a process that ended may take to end as well."""

POLL_S = 0.05
SHOWN_LOG_LINES = 8


@dataclass(frozen=True, slots=True)
class Program:
    """What to run, as whom, and how to end it; `log` gets what it prints.

    `is_ready` tells whether it answers. Times are in seconds.
    """

    name: str
    command: tuple[str, ...]
    log: Path
    is_ready: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_timeout_s: float = 20.0


class Child:
    """A process that runs a program, in a session of its own, so that Ctrl-C reaches only us.

    One thread calls it.
    """

    def __init__(self, program: Program, setpriv: Path, say: Callable[[str], None]) -> None:
        self.program = program
        self._setpriv = setpriv
        self._say = say
        self._process: subprocess.Popen[bytes] | None = None
        self._started_s = 0.0
        self._pause_s = FIRST_PAUSE_S
        self._due_s: float | None = None

    @property
    def pid(self) -> int:
        """The id of its process, or of the last one while there is none."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start the process. It ends with us, however we end."""
        program = self.program
        with program.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._prefix(), *program.command],
                env=dict(program.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._started_s, self._due_s = time.monotonic(), None

    def check_start(self) -> bool:
        """Whether it is ready.

        Raises:
            ClusterError: it ended instead; with the last lines of its log.
        """
        assert self._process is not None
        if self._process.poll() is not None:
            lines = self.program.log.read_text(errors="replace").splitlines()[-SHOWN_LOG_LINES:]
            raise ClusterError(
                f"{self.program.name} {_ending(self._process.returncode)}. The end of {self.program.log}:\n"
                + "\n".join(f"  {line}" for line in lines)
            )
        return self.program.is_ready()

    def watch(self) -> bool:
        """Start the process again if it ended; whether it is a new one now. To be called often."""
        now_s = time.monotonic()
        if self._due_s is not None:
            if now_s < self._due_s:
                return False
            self._end_group()
            self.start()
            return True
        assert self._process is not None
        if self._process.poll() is not None:
            self._plan_restart(now_s)
        return False

    def _plan_restart(self, now_s: float) -> None:
        assert self._process is not None
        if now_s - self._started_s > STEADY_S:
            self._pause_s = FIRST_PAUSE_S
        self._say(
            f"{self.program.name} (process {self.pid}) {_ending(self._process.returncode)}; "
            f"starting it again in {self._pause_s:g} s. Its log: {self.program.log}"
        )
        self._due_s = now_s + self._pause_s  # until then its children may end by themselves
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)

    def ask_to_stop(self) -> None:
        """Send the signal on which it ends in order."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(self.program.stop_signal)
            self._process.send_signal(signal.SIGCONT)  # one that is frozen would not notice

    def stop(self) -> None:
        """Wait until it has ended; kill what does not end in time."""
        if self._process is None:
            return
        self.ask_to_stop()
        try:
            self._process.wait(self.program.stop_timeout_s)
        except subprocess.TimeoutExpired:
            self._say(f"{self.program.name} does not stop; killing it")
        self.kill()

    def kill(self) -> None:
        """End it and its children at once."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._end_group()

    def _end_group(self) -> None:
        """End what a process has left behind: nginx's workers would go on with its port."""
        deadline_s = time.monotonic() + REST_TIMEOUT_S
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGTERM)
            while time.monotonic() < deadline_s:
                time.sleep(POLL_S)
                os.killpg(self.pid, 0)
            os.killpg(self.pid, signal.SIGKILL)

    def _prefix(self) -> list[str]:
        """The program that has the kernel end a process together with us, and runs it as its user."""
        signal_name = self.program.stop_signal.name
        return [str(self._setpriv), "--pdeathsig", signal_name, *user_options(self.program.user), "--"]


def user_options(user: str | None) -> list[str]:
    """What setpriv needs to run a program as somebody else."""
    if user is None:
        return []
    group = pwd.getpwnam(user).pw_gid
    return ["--reuid", user, "--regid", str(group), "--init-groups"]


def _ending(code: int) -> str:
    return f"ended with {code}" if code >= 0 else f"was ended by {signal.Signals(-code).name}"
