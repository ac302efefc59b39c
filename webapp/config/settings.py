"""The settings of a server, read once at its start; the only reader of `os.environ`."""

from __future__ import annotations

import difflib
import logging
import os
import re
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from webapp.config.limits import Limits
from webapp.errors import SettingsError

PROJECT_ROOT = Path(__file__).resolve().parents[2]

INHERITED_NAMES = frozenset(
    {"PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "VIRTUAL_ENV", "LD_LIBRARY_PATH"}
)
INHERITED_PREFIXES = ("LC_", "PYTHON", "DYLD_", "COVERAGE_")
"""What every child process inherits: the variables that locate programs, libraries and the language."""

MIN_TOKEN_LENGTH = 20
"""The length of a token that cannot be guessed, if its characters are random."""

SERVING_DEFAULTS = {"MIEN_HTTPS": "1", "MIEN_HOST": "0.0.0.0", "MIEN_PORT": "8443"}  # noqa: S104 - as asked for
"""What `mien serve` and `make serve` set unless it is set."""

HOST = re.compile(r"(\*\.)?[\w.-]+|\[?[0-9a-f:.]+\]?", re.IGNORECASE | re.ASCII)
"""A name, `*.` and a domain, or an address."""

ORIGIN = re.compile(r"https?://([\w.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?", re.IGNORECASE | re.ASCII)

NODE = re.compile(r"[a-z0-9]{1,20}")
"""The name of a node; ids of jobs begin with it."""

MIN_SECRET_KEY_LENGTH = 32

REDIS_SCHEMES = ("redis://", "rediss://", "unix://")

logger = logging.getLogger(__name__)

Runtime = Literal["litert", "keras"]
LogFormat = Literal["text", "json"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be configured; `docs/settings.md` explains each variable.

    `model` is the classifier's file, or None for the one in `models/` for the chosen runtime.
    Times are in seconds, `workers` is a number of processes.
    """

    host: str = "127.0.0.1"
    port: int = 5000
    workers: int = 1
    model: Path | None = None
    runtime: Runtime = "litert"
    smoothing_s: float = 0.12
    https: bool = False
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    redirect_port: int = 8080
    data_dir: Path = PROJECT_ROOT / "instance"
    database: str | None = field(default=None, repr=False)
    node: str = "mien"
    secret_key: str | None = field(default=None, repr=False)
    host_token: str | None = field(default=None, repr=False)
    retention_days: int = 0
    lsl: bool = False
    proxies: int = 0
    known_hosts: tuple[str, ...] = ()
    limits: Limits = Limits()
    allowed_origins: tuple[str, ...] = ()
    max_file_mb: int = 30
    max_file_megapixels: int = 50
    max_video_minutes: int = 240
    max_upload_mb: int = 2000
    max_jobs: int = 200
    max_jobs_per_owner: int = 50
    jobs_disk_gb: int = 20
    job_keep_minutes: int = 60
    job_threads: int = 1
    job_niceness: int = 19
    redis_url: str | None = field(default=None, repr=False)
    open_analyze: bool = False
    analyze_per_minute: int = 60
    log_level: str = "INFO"
    log_format: LogFormat = "text"
    audit_days: int = 365

    @property
    def model_path(self) -> Path:
        """The classifier file that workers load."""
        name = "expression.tflite" if self.runtime == "litert" else "expression.keras"
        return self.model or PROJECT_ROOT / "models" / name

    @property
    def database_url(self) -> str:
        """Where rooms and recordings are stored."""
        return self.database or f"sqlite:///{(self.data_dir / 'mien.sqlite').absolute()}"

    @property
    def shares_database(self) -> bool:
        """Whether other nodes may work with the same rooms: they are in PostgreSQL, which all can reach."""
        return is_shared(self.database_url)

    @property
    def max_file_bytes(self) -> int:
        """The size of the largest image file."""
        return 1_000_000 * self.max_file_mb

    @property
    def max_file_pixels(self) -> int:
        """The most pixels in an image file, or in a frame of a video file."""
        return 1_000_000 * self.max_file_megapixels

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Settings:
        """Read the variables that begin with `MIEN_`; an empty value counts as unset.

        Unknown ones are logged as warnings, as they may be misspelled.

        Raises:
            SettingsError: a value cannot be used; the message names the variable, the value and what is
                expected.
        """
        read = _Reader(os.environ if env is None else env)
        settings = cls(**_of_server(read), **_of_data(read), **_of_files(read), **_of_log(read))
        settings = replace(settings, node=_node_name(read, settings.port))
        if (settings.tls_certificate is None) != (settings.tls_key is None):
            raise SettingsError("Set MIEN_TLS_CERTIFICATE and MIEN_TLS_KEY together, or neither.")
        read.warn_of_unknown()
        return settings


def is_shared(database_url: str) -> bool:
    """Whether a database is one that several nodes can work with."""
    return database_url.startswith("postgresql")


def log_settings(env: Mapping[str, str] | None = None) -> dict[str, Any]:
    """`log_level`, `log_format` and `node` alone, to be set before anything is logged.

    `node` names this node in every line; it is empty where no others can be.

    Raises:
        SettingsError: one of them cannot be used.
    """
    read = _Reader(os.environ if env is None else env)
    port = read.whole("PORT", 5000, low=1, high=65535)
    node = _node_name(read, port) if is_shared(read.text("DATABASE_URL", "")) else ""
    return {**_of_log(read), "node": node}


def serving_environment(env: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment with what `mien serve` sets where nothing is set: https for the network."""
    return SERVING_DEFAULTS | dict(os.environ if env is None else env)


def child_environment(prefixes: tuple[str, ...] = (), env: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a child process: what it needs of this one's, and no `MIEN_` variable.

    Args:
        prefixes: prefixes of further variables that this kind of child needs.
        env: the environment to choose from, instead of this process's own.
    """
    taken = (*INHERITED_PREFIXES, *prefixes)
    return {
        name: value
        for name, value in (os.environ if env is None else env).items()
        if name in INHERITED_NAMES or name.startswith(taken)
    }


class _Reader:
    """Reads typed values; every error names the variable."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self._known: set[str] = set()

    def _value(self, name: str, default: T, parse: Callable[[str], T], expected: str) -> T:
        self._known.add(f"MIEN_{name}")
        text = self._env.get(f"MIEN_{name}", "").strip()
        if not text:
            return default
        try:
            return parse(text)
        except ValueError:
            raise SettingsError(f"MIEN_{name} is {text!r}, but must be {expected}.") from None

    def checked(self, name: str, default: T, parse: Callable[[str], T], expected: str) -> T:
        return self._value(name, default, parse, expected)

    def text(self, name: str, default: str) -> str:
        return self._value(name, default, str, "text")

    def path(self, name: str, default: Path | None) -> Path | None:
        return self._value(name, default, lambda text: Path(text).expanduser(), "a path")

    def file(self, name: str) -> Path | None:
        path = self.path(name, None)
        if path is not None and not path.is_file():
            raise SettingsError(f"MIEN_{name} is '{path}', but must be a file that exists.")
        return path

    def secret(self, name: str) -> str | None:
        value = self.text(name, "")
        if value and len(value) < MIN_TOKEN_LENGTH:
            raise SettingsError(
                f"MIEN_{name} has {len(value)} characters, but must have at least {MIN_TOKEN_LENGTH}, as it "
                "gives full access. `openssl rand -hex 16` makes one."
            )
        return value or None

    def redis(self, name: str) -> str | None:
        url = self.text(name, "")
        if url and not url.startswith(REDIS_SCHEMES):
            # Without the value: it may hold a password.
            raise SettingsError(f"MIEN_{name} must be like redis://HOST:6379/0, rediss://... or unix://PATH.")
        return url or None

    def hosts(self, name: str) -> tuple[str, ...]:
        def parse(text: str) -> tuple[str, ...]:
            hosts = tuple(host.strip() for host in text.split(",") if host.strip())
            if not all(map(HOST.fullmatch, hosts)):
                raise ValueError
            return hosts

        expected = "names or addresses, comma-separated, without https:// and port: mien.example.org"
        return self._value(name, (), parse, expected)

    def origins(self, name: str) -> tuple[str, ...]:
        def parse(text: str) -> tuple[str, ...]:
            origins = tuple(origin.strip() for origin in text.split(",") if origin.strip())
            if not all(map(ORIGIN.fullmatch, origins)):
                raise ValueError
            return tuple(map(_as_browsers_write, origins))

        return self._value(
            name, (), parse, "origins, comma-separated, without a path: https://lab.example.org"
        )

    def warn_of_unknown(self) -> None:
        for name in sorted(self._env):
            if name.startswith("MIEN_") and name not in self._known:
                near = difflib.get_close_matches(name, self._known, n=1)
                advice = f"did you mean {near[0]}?" if near else "docs/settings.md lists them all."
                logger.warning("%s is not a setting: %s", name, advice)

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        def parse(text: str) -> str:
            return choices[choices.index(text)]

        return self._value(name, choices[0], parse, "one of " + ", ".join(choices))

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        def parse(text: str) -> int:
            return _within(int(text), low, high)

        return self._value(name, default, parse, f"a whole number from {low} to {high}")

    def seconds(self, name: str, default: float) -> float:
        def parse(text: str) -> float:
            return _within(float(text), 0.0, 60.0)

        return self._value(name, default, parse, "a number of seconds from 0 to 60")


def _of_server(read: _Reader) -> dict[str, Any]:
    """Where the server listens, whom it lets in, and what analyzes frames."""
    return {
        "host": read.text("HOST", "127.0.0.1"),
        "port": read.whole("PORT", 5000, low=1, high=65535),
        "workers": read.whole("WORKERS", os.cpu_count() or 1, low=1, high=256),
        "model": read.file("MODEL"),
        "runtime": read.choice("RUNTIME", ("litert", "keras")),
        "smoothing_s": read.seconds("SMOOTHING_S", 0.12),
        "https": read.choice("HTTPS", ("0", "1")) == "1",
        "tls_certificate": read.path("TLS_CERTIFICATE", None),
        "tls_key": read.path("TLS_KEY", None),
        "redirect_port": read.whole("REDIRECT_PORT", 8080, low=0, high=65535),
        "proxies": read.whole("PROXIES", 0, low=0, high=10),
        "known_hosts": read.hosts("KNOWN_HOSTS"),
        "limits": _limits(read),
        "allowed_origins": read.origins("ALLOWED_ORIGINS"),
    }


def _limits(read: _Reader) -> Limits:
    return Limits(
        **{
            name: read.whole(name.upper(), default, low, high)
            for name, default, low, high in Limits.described()
        }
    )


def _of_data(read: _Reader) -> dict[str, Any]:
    """What is kept, where, and who may see it."""
    return {
        "data_dir": read.path("DATA_DIR", None) or PROJECT_ROOT / "instance",
        "database": read.text("DATABASE_URL", "") or None,
        "secret_key": _secret_key(read),
        "host_token": read.secret("HOST_TOKEN"),
        "retention_days": read.whole("RETENTION_DAYS", 0, low=0, high=36500),
        "audit_days": read.whole("AUDIT_DAYS", 365, low=1, high=36500),
        "lsl": read.choice("LSL", ("0", "1")) == "1",
    }


def _of_files(read: _Reader) -> dict[str, Any]:
    """Images and videos: how large, how many, and where their jobs wait."""
    return {
        "max_file_mb": read.whole("MAX_FILE_MB", 30, low=1, high=1000),
        "max_file_megapixels": read.whole("MAX_FILE_MEGAPIXELS", 50, low=1, high=1000),
        "max_video_minutes": read.whole("MAX_VIDEO_MINUTES", 240, low=1, high=10_000),
        "max_upload_mb": read.whole("MAX_UPLOAD_MB", 2000, low=1, high=1_000_000),
        "open_analyze": read.choice("OPEN_ANALYZE", ("0", "1")) == "1",
        "analyze_per_minute": read.whole("ANALYZE_PER_MINUTE", 60, low=0, high=100_000),
        "max_jobs": read.whole("MAX_JOBS", 200, low=1, high=100_000),
        "max_jobs_per_owner": read.whole("MAX_JOBS_PER_OWNER", 50, low=1, high=100_000),
        "jobs_disk_gb": read.whole("JOBS_DISK_GB", 20, low=1, high=1_000_000),
        "job_keep_minutes": read.whole("JOB_KEEP_MINUTES", 60, low=1, high=525_600),
        "job_threads": read.whole("JOB_THREADS", max(1, (os.cpu_count() or 1) // 2), low=1, high=256),
        "job_niceness": read.whole("JOB_NICENESS", 19, low=0, high=19),
        "redis_url": read.redis("REDIS_URL"),
    }


def _of_log(read: _Reader) -> dict[str, Any]:
    return {
        "log_level": read.choice("LOG_LEVEL", ("INFO", "DEBUG", "WARNING", "ERROR")),
        "log_format": read.choice("LOG_FORMAT", ("text", "json")),
    }


def _node_name(read: _Reader, port: int) -> str:
    """The name of this node: the one set, or one of the machine's name and the port."""

    def parse(text: str) -> str:
        if not NODE.fullmatch(text):
            raise ValueError
        return text

    machine = re.sub(r"[^a-z0-9]", "", socket.gethostname().partition(".")[0].lower())
    default = f"{machine[:12] or 'node'}{port}"
    return read.checked("NODE", default, parse, "1 to 20 small letters and digits, such as a1")


def _secret_key(read: _Reader) -> str | None:
    """The key that signs sessions, if it is set: itself, or in a file."""
    key, path = read.text("SECRET_KEY", ""), read.file("SECRET_KEY_FILE")
    if key and path:
        raise SettingsError("Set MIEN_SECRET_KEY or MIEN_SECRET_KEY_FILE, not both.")
    if path is not None:
        try:
            key = path.read_text(errors="replace").strip()
        except OSError as error:
            raise SettingsError(f"MIEN_SECRET_KEY_FILE cannot be read: {error.strerror}.") from error
    if (key or path) and len(key) < MIN_SECRET_KEY_LENGTH:
        name = "the file of MIEN_SECRET_KEY_FILE" if path else "MIEN_SECRET_KEY"
        raise SettingsError(
            f"{name} has {len(key)} characters, but must have at least {MIN_SECRET_KEY_LENGTH}, as it signs "
            "the sessions of hosts. `openssl rand -hex 32` makes one."
        )
    return key or None


def _within(value: T, low: T, high: T) -> T:
    if not low <= value <= high:  # type: ignore[operator]
        raise ValueError
    return value


def _as_browsers_write(origin: str) -> str:
    """In lower case, without the port that its scheme has anyway."""
    written = origin.lower()
    return written.removesuffix(":443" if written.startswith("https") else ":80")
