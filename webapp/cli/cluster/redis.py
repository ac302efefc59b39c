"""The Redis of a cluster on this machine, with deploy/cluster/redis.conf."""

from __future__ import annotations

from redis import Redis, RedisError

from webapp.cli.cluster.child import Program
from webapp.cli.cluster.layout import SHIPPED, Layout
from webapp.cli.cluster.programs import Programs
from webapp.config import child_environment
from webapp.server.data_dir import write_file

TIMEOUT_S = 3


def redis_program(layout: Layout, programs: Programs) -> Program:
    """Redis on its port of this machine, with a password."""
    folder = layout.folder / "redis"
    folder.mkdir(exist_ok=True)
    settings = (
        f'include "{SHIPPED}/redis.conf"\nbind 127.0.0.1\nport {layout.redis_port}\ndir "{folder}"\n'
        f"requirepass {layout.secret('redis')}\n"
    )
    write_file(folder / "redis.conf", settings.encode())
    return Program(
        "redis",
        (str(programs.redis), str(folder / "redis.conf")),
        layout.log("redis"),
        lambda: _answers(layout.redis_url),
        child_environment(),
    )


def _answers(url: str) -> bool:
    client = Redis.from_url(url, socket_timeout=TIMEOUT_S)
    try:
        return bool(client.ping())
    except RedisError:
        return False
    finally:
        client.close()
