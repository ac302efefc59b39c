"""What a cluster on this machine consists of: its folder, ports, nodes and secrets."""

from __future__ import annotations

import secrets
import socket
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from webapp.config import PROJECT_ROOT, Settings
from webapp.errors import ClusterError
from webapp.server.data_dir import write_file

SHIPPED = PROJECT_ROOT / "deploy" / "cluster"
"""The files that are installed on real servers, and used as they are here."""

FOLDER = "cluster"
STATE_FILE = "cluster.json"
NODES = 2
SECRET_BYTES = 32
LAST_PORT = 65535
OUTGOING_PORTS = 32768
"""The first that Linux gives to outgoing connections; those from here on are nobody's for long."""

LOW_PORTS = 20000


@dataclass(frozen=True, slots=True)
class Node:
    """One `wsgi.py`: its name, which job ids begin with, its port on 127.0.0.1, and its worker processes."""

    name: str
    port: int
    workers: int

    @property
    def address(self) -> str:
        """Where nginx finds it."""
        return f"127.0.0.1:{self.port}"


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything is. nginx listens on `host` and `port`, all else on 127.0.0.1."""

    folder: Path
    host: str
    port: int
    redis_port: int
    postgres_port: int
    nodes: tuple[Node, ...]

    @classmethod
    def of(cls, settings: Settings) -> Layout:
        """The layout for these settings, on ports that are free now.

        Raises:
            ClusterError: the port that nginx is to have is taken, or there are too few.
        """
        _check_free(settings.host, settings.port)
        redis_port, postgres_port, *ports = free_ports(_first_port(settings.port), 2 + NODES)
        workers = _shares(settings.workers, NODES)
        nodes = tuple(
            Node(f"n{number}", port, share)
            for number, (port, share) in enumerate(zip(ports, workers, strict=True), 1)
        )
        folder = settings.data_dir.absolute() / FOLDER
        return cls(folder, settings.host, settings.port, redis_port, postgres_port, nodes)

    @property
    def url(self) -> str:
        """The address that people open."""
        shown = "localhost" if self.host in ("127.0.0.1", "0.0.0.0", "::") else self.host  # noqa: S104 - compared
        return f"http://{shown}:{self.port}"

    @property
    def state_file(self) -> Path:
        """Which processes run."""
        return self.folder / STATE_FILE

    def log(self, name: str) -> Path:
        """What a process of this name prints."""
        return self.folder / "log" / f"{name}.log"

    def secret(self, name: str) -> str:
        """A secret of this cluster, made once; only its owner can read it."""
        path = self.folder / f"{name}.secret"
        if not path.exists():
            write_file(path, secrets.token_hex(SECRET_BYTES).encode())
        return path.read_text()

    @property
    def database_url(self) -> str:
        """PostgreSQL, with its password."""
        return f"postgresql://mien:{self.secret('postgres')}@127.0.0.1:{self.postgres_port}/mien"

    @property
    def redis_url(self) -> str:
        """Redis, with its password."""
        return f"redis://:{self.secret('redis')}@127.0.0.1:{self.redis_port}/0"


def _first_port(port: int) -> int:
    """Where to look for the others: after this one, but below the ports that outgoing connections get.

    Such a connection could take the port of a process that is about to start, even one that asks for it.
    """
    return port + 1 if port < OUTGOING_PORTS - 100 else LOW_PORTS + port % 10_000


def free_ports(first: int, count: int) -> list[int]:
    """The first ports from `first` on that are free on 127.0.0.1.

    Raises:
        ClusterError: there are not so many.
    """
    found: list[int] = []
    with ExitStack() as held:
        for port in range(first, LAST_PORT + 1):
            if len(found) == count:
                break
            probe = held.enter_context(socket.socket())
            if _binds(probe, "127.0.0.1", port):
                found.append(port)
    if len(found) < count:
        raise ClusterError(
            f"There are too few free ports above {first - 1}. Choose a lower MIEN_PORT, such as 5000."
        )
    return found


def _binds(probe: socket.socket, host: str, port: int) -> bool:
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do
    try:
        probe.bind((host, port))
    except OSError:
        return False
    return True


def _check_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        if not _binds(probe, host, port):
            raise ClusterError(
                f"Port {port} on {host} cannot be used: another program has it, or it is not ours to take. "
                f"Stop that program (`ss -ltnp 'sport = :{port}'` names it), or choose another port with "
                "MIEN_PORT."
            )


def _shares(whole: int, parts: int) -> list[int]:
    """Cores, divided as evenly as can be; nobody gets none."""
    return [max(1, whole // parts + (number < whole % parts)) for number in range(parts)]
