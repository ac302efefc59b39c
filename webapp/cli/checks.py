"""The checks of `mien doctor`: each yields what is well, and raises an error that says what to do."""

from __future__ import annotations

import hashlib
import re
import shutil
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from webapp.analysis.worker_pool import WorkerPool
from webapp.analysis.worker_process import START_TIMEOUT_S, worker_spec
from webapp.cli.databases import known_revisions, revision
from webapp.config import PROJECT_ROOT, Settings
from webapp.errors import CertificateError, MienError, ModelFileError, SettingsError, StoreError
from webapp.jobs.store import JobStore
from webapp.protocol import Job
from webapp.server.data_dir import prepare_data_dir
from webapp.server.folder_lock import FolderLock
from webapp.server.tls.certificates import check_pair

SELF_TEST = Path(__file__).with_name("self_test.jpg")
"""A crop of NASA's portrait of the astronaut Eileen Collins (public domain): one smiling face."""

SELF_TEST_EXPRESSION = "happy"

MIN_FREE_BYTES = 1_000_000_000
SOON_DAYS = 14
REDIS_TIMEOUT_S = 5.0


def face_networks(settings: Settings) -> Iterator[str]:
    """Google's networks are those that this version expects."""
    from webapp.vision.model_files import CLOSE_FACE_DETECTOR, FACE_DETECTOR, FACE_MESH, read_model

    for file in (FACE_DETECTOR, CLOSE_FACE_DETECTOR, FACE_MESH):
        read_model(file)
        yield f"{file.name}, SHA-256 {file.sha256[:12]}..."


def expression_model(settings: Settings) -> Iterator[str]:
    """The classifier is there, and is the one that models/README.md names if it is our own."""
    path = settings.model_path
    if not path.is_file():
        raise ModelFileError(f"There is no model at {path}; run `git checkout models`, or set MIEN_MODEL.")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    card = (PROJECT_ROOT / "models" / "README.md").read_text()
    listed = re.search(rf"`{re.escape(path.name)}` \| `([0-9a-f]{{64}})`", card)
    if settings.model is None and listed and listed[1] != found:
        raise ModelFileError(
            f"{path} has the SHA-256 {found}, but models/README.md says {listed[1]}; see `git diff models`."
        )
    yield f"{path}, SHA-256 {found[:12]}..."


def video(settings: Settings) -> Iterator[str]:
    """PyAV can be loaded, and has an encoder for annotated videos."""
    from webapp.media.video_writer import encoder_name

    yield f"PyAV {metadata.version('av')}, annotated videos by {encoder_name()}"


def worker(settings: Settings) -> Iterator[str]:
    """A worker process starts, and finds the face and the smile in the shipped image."""
    pool = WorkerPool(worker_spec(settings), 1)
    pool.start()
    try:
        _wait_until_ready(pool)
        start_s = time.perf_counter()
        faces = pool.analyze(Job(SELF_TEST.read_bytes()), owner="doctor").faces
        elapsed_ms = 1000 * (time.perf_counter() - start_s)
    finally:
        pool.stop()
    if [face.expression for face in faces] != [SELF_TEST_EXPRESSION]:
        raise MienError(
            f"The self-test image has one {SELF_TEST_EXPRESSION} face, but "
            f"{[face.expression for face in faces]} was found; check the models above and MIEN_MODEL."
        )
    yield (
        f"starts, and finds one {faces[0].expression} face ({faces[0].confidence:.0%}) in {elapsed_ms:.0f} ms"
    )


def data_folder(settings: Settings) -> Iterator[str]:
    """The folder can be written, its disk has room, and whether a server uses it."""
    folder = settings.data_dir
    existing = next(path for path in (folder, *folder.absolute().parents) if path.is_dir())
    free = shutil.disk_usage(existing).free
    if folder.is_dir():
        prepare_data_dir(folder)
    if free < MIN_FREE_BYTES:
        raise SettingsError(
            f"{folder} is on a disk with {free / 1e9:.1f} GB free; recordings need at least "
            f"{MIN_FREE_BYTES / 1e9:.0f} GB. Free some, or set MIEN_DATA_DIR to another disk."
        )
    use = "in use by a server" if _is_served(settings) else "no server uses it now"
    yield f"{folder}, {free / 1e9:.0f} GB free; {use}"


def database(settings: Settings) -> Iterator[str]:
    """The database answers, and its tables are those of this version or can be brought up to date."""
    url = make_url(settings.database_url)
    name = url.render_as_string(hide_password=True)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        yield f"{name} is made when the server starts"
        return
    try:
        found, known = revision(settings), known_revisions()
    except SQLAlchemyError as error:
        cause = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise StoreError(f"{name} does not answer: {cause}. Start it or correct the URL.") from error
    if found is not None and found not in known:
        raise StoreError(
            f"{name} has the tables of a later version of Mien (revision {found}); install that version."
        )
    state = "up to date" if found == known[-1] else "brought up to date when the server starts"
    yield f"{name}, revision {found or 'none'}: {state}"


def redis(settings: Settings) -> Iterator[str]:
    """Redis answers, where it is to keep the queues of jobs."""
    if settings.redis_url is None:
        yield "not used; the queues of jobs are in the data folder (MIEN_REDIS_URL)"
        return
    from redis import Redis, RedisError

    client = Redis.from_url(settings.redis_url, socket_timeout=REDIS_TIMEOUT_S)
    where = _without_password(settings.redis_url)
    try:
        version = client.info("server")["redis_version"]
    except (RedisError, OSError) as error:
        raise MienError(
            f"{where} does not answer: {error}. Start it or correct MIEN_REDIS_URL; until then jobs wait."
        ) from error
    finally:
        client.close()
    yield f"{where}, version {version}"


def jobs(settings: Settings) -> Iterator[str]:
    """How many jobs there are, and whether more fit on the disk."""
    store = JobStore(settings.data_dir / "jobs")
    found = store.all()
    unfinished = sum(not job.is_finished for job in found)
    used_gb = store.used_bytes() / 1e9 if found else 0.0
    if used_gb >= settings.jobs_disk_gb:
        raise SettingsError(
            f"Jobs take {used_gb:.1f} GB, all of the {settings.jobs_disk_gb} GB that they may have. Delete "
            "some, or raise MIEN_JOBS_DISK_GB."
        )
    yield (
        f"{len(found)} jobs, {unfinished} of them not finished; "
        f"{used_gb:.1f} of {settings.jobs_disk_gb} GB used"
    )


def certificate(settings: Settings) -> Iterator[str]:
    """The certificate can be used, and for how long."""
    own = settings.data_dir / "tls" / "server.crt"
    path = settings.tls_certificate or own
    if settings.tls_certificate and settings.tls_key:
        check_pair(settings.tls_certificate, settings.tls_key)
    elif not own.is_file():
        yield "the server makes one when it first serves https"
        return
    end = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    days = (end - datetime.now(UTC)).days
    if days < SOON_DAYS and settings.tls_certificate:
        raise CertificateError(f"{path} ends on {end:%Y-%m-%d}, in {days} days; renew it.")
    renewal = "" if settings.tls_certificate else "; the server renews it when it starts in the last month"
    yield f"{path} ends on {end:%Y-%m-%d}, in {days} days{renewal}"


def ports(settings: Settings) -> Iterator[str]:
    """The ports are free, or the server that runs on the data folder has them."""
    wanted = {settings.port: "MIEN_PORT"}
    if settings.https and settings.redirect_port:
        wanted[settings.redirect_port] = "MIEN_REDIRECT_PORT"
    for port, variable in wanted.items():
        problem = _port_problem(settings.host, port)
        if problem is None:
            yield f"{port} ({variable}) is free"
        elif _is_served(settings):
            yield f"{port} ({variable}) is in use, by the server on this data folder or another"
        else:
            raise SettingsError(
                f"{port} ({variable}) cannot be used on {settings.host}: {problem}. Stop what uses it, or "
                f"set {variable} to another."
            )


def _without_password(url: str) -> str:
    """A URL as it may be shown."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()


def _wait_until_ready(pool: WorkerPool) -> None:
    end_s = time.monotonic() + START_TIMEOUT_S
    while not pool.ready:
        if time.monotonic() > end_s:
            raise MienError(
                f"No worker was ready within {START_TIMEOUT_S:.0f} s; the lines above it say why. Reinstall "
                "with `pip install -r requirements.txt`."
            )
        time.sleep(0.05)


def _is_served(settings: Settings) -> bool:
    """Whether a server holds the lock of the data folder."""
    if not settings.data_dir.is_dir():
        return False
    lock = FolderLock(settings)
    try:
        lock.start()
    except SettingsError:
        return True
    lock.stop()
    return False


def _port_problem(host: str, port: int) -> str | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        return error.strerror or str(error)
    return None
