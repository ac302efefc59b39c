"""The programs of Debian's that a cluster needs: finds them, and installs what is missing where it may."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from webapp.config import child_environment
from webapp.errors import ClusterError

PACKAGES = {
    "nginx": "nginx",
    "redis-server": "redis-server",
    "postgres": "postgresql",
    "setpriv": "util-linux",
}
"""Each program, and the package that brings it."""

SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")
"""Where Debian keeps servers; not on everybody's PATH."""

POSTGRES_USERS = ("postgres", "nobody")
"""Who may run PostgreSQL for root, the first that there is: it refuses to run as root itself."""


@dataclass(frozen=True, slots=True)
class Programs:
    """Where the programs are."""

    nginx: Path
    redis: Path
    postgres: Path
    setpriv: Path


def ensure_programs(say: Callable[[str], None]) -> Programs:
    """Find the programs; root installs those that are missing.

    Raises:
        ClusterError: some are missing; it says how to install them.
    """
    if missing := _missing():
        _install(missing, say)
    if missing := _missing():
        raise ClusterError(
            f"{', '.join(missing)} cannot be found. Install what is missing and try again:\n"
            f"  sudo apt-get install {' '.join(PACKAGES[name] for name in missing)}"
        )
    found = [find_program(name) for name in ("nginx", "redis-server", "postgres", "setpriv")]
    return Programs(*(path for path in found if path is not None))


def find_program(name: str) -> Path | None:
    """A program on the PATH, among the system's servers, or of the newest PostgreSQL."""
    on_path = shutil.which(name) or shutil.which(name, path=os.pathsep.join(SYSTEM_FOLDERS))
    if on_path:
        return Path(on_path)  # not where a link leads: redis-server goes by its name
    versions = Path("/usr/lib/postgresql").glob(f"*/bin/{name}")
    return max(versions, key=lambda path: float(path.parts[4]), default=None)


def postgres_user() -> str | None:
    """As whom PostgreSQL runs where that is not ourselves.

    Raises:
        ClusterError: we are root, and there is nobody else.
    """
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    for name in POSTGRES_USERS:
        if name in names:
            return name
    raise ClusterError("PostgreSQL does not run as root. Add a user for it: adduser --system postgres")


def _missing() -> list[str]:
    return [name for name in PACKAGES if find_program(name) is None]


def _install(missing: list[str], say: Callable[[str], None]) -> None:
    """Try; what is still missing afterwards is told then."""
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        return
    packages = [PACKAGES[name] for name in missing]
    environment = child_environment() | {"DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        say(f"apt-get {' '.join(arguments)}")
        done = subprocess.run([apt, "-qq", *arguments], env=environment, check=False)
        if done.returncode:
            say(f"apt-get failed with {done.returncode}")
