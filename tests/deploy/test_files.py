"""The files in deploy/: they are what the code makes and reads, and what their programs take."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.helpers.serving import PROJECT_ROOT
from webapp.cli.cluster.nginx import nodes_file

DEPLOY = PROJECT_ROOT / "deploy"
CLUSTER, DOCKER = DEPLOY / "cluster", DEPLOY / "docker"
UNIT = CLUSTER / "mien@.service"

EXPOSURE_LIMIT = 2.0
"""Of 10, as `systemd-analyze security` counts; under 2 is "OK"."""


def documented_settings() -> set[str]:
    return set(
        re.findall(r"^\| `(MIEN_\w+)`", (PROJECT_ROOT / "docs" / "settings.md").read_text(), re.MULTILINE)
    )


def without_comments(path: Path) -> str:
    lines = path.read_text().splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("#")).lstrip()


@pytest.mark.parametrize(
    ("path", "nodes"),
    [
        (CLUSTER / "nginx" / "nodes.conf", [("n1", "127.0.0.1:5001"), ("n2", "127.0.0.1:5002")]),
        (DOCKER / "nodes.conf", [("n1", "node1:5000"), ("n2", "node2:5000")]),
    ],
)
def test_nodes_are_written_as_the_cluster_writes_them(path: Path, nodes: list[tuple[str, str]]) -> None:
    assert without_comments(path) == nodes_file(nodes)


@pytest.mark.skipif(
    shutil.which("nginx") is None or shutil.which("openssl") is None, reason="needs nginx and openssl"
)
def test_nginx_takes_the_site_with_https(tmp_path: Path) -> None:
    shutil.copytree(CLUSTER / "nginx", tmp_path / "mien")
    make_certificate(tmp_path)
    site = (tmp_path / "mien" / "site.conf").read_text()
    site = site.replace("/etc/nginx/mien", str(tmp_path / "mien")).replace("/etc/ssl/mien", str(tmp_path))
    site = re.sub(r"listen (\[::\]:)?(80|443)", r"listen \g<1>0\2", site)
    temp = "".join(
        f"{kind}_temp_path {tmp_path};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (tmp_path / "nginx.conf").write_text(f"pid {tmp_path}/pid;\nevents {{}}\nhttp {{ {temp}\n{site}\n}}\n")
    command = ["nginx", "-t", "-p", str(tmp_path), "-e", "stderr", "-c", str(tmp_path / "nginx.conf")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "warn" not in done.stderr, done.stderr


def make_certificate(folder: Path) -> None:
    files = ["-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem")]
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=mien.example.org",
        *files,
    ]
    subprocess.run(command, capture_output=True, check=True)


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The template unit, with a program and files that exist here."""
    text = UNIT.read_text().replace("/opt/mien/.venv/bin/python wsgi.py", "/bin/true")
    (tmp_path / UNIT.name).write_text(text.replace("WorkingDirectory=/opt/mien", "WorkingDirectory=/"))
    return tmp_path / UNIT.name


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_takes_the_unit_and_finds_it_hardened(unit: Path) -> None:
    checked = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stderr) == (0, "")
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)]
    judged = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    (exposure,) = re.findall(r"Overall exposure level for \S+: ([\d.]+)", judged)
    assert float(exposure) < EXPOSURE_LIMIT


@pytest.mark.parametrize(
    "path", [UNIT, DEPLOY / "mien.service", DOCKER / "compose.yaml", DOCKER / "Dockerfile"]
)
def test_every_setting_that_is_named_exists(path: Path) -> None:
    assert set(re.findall(r"MIEN_[A-Z_]+[A-Z]", path.read_text())) <= documented_settings()


def test_the_unit_allows_many_connections_and_a_whole_drain() -> None:
    values = dict(re.findall(r"^(\w+)=(.+)$", UNIT.read_text(), re.MULTILINE))
    assert int(values["LimitNOFILE"]) >= 65536
    assert int(values["TimeoutStopSec"]) >= 20
    assert values["Restart"] == "on-failure"


def compose() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())
    return content


def test_every_file_that_compose_mounts_or_builds_from_exists() -> None:
    services = compose()["services"]
    mounted = [
        mount.split(":")[0]
        for service in services.values()
        for mount in service.get("volumes", [])
        if mount.startswith(".")
    ]
    assert mounted and [path for path in mounted if not (DOCKER / path).is_file()] == []
    build = services["node1"]["build"]
    assert (DOCKER / build["context"] / build["dockerfile"]).resolve() == DOCKER / "Dockerfile"


def test_nodes_of_compose_share_all_but_their_names() -> None:
    one, two = (dict(compose()["services"][name]["environment"]) for name in ("node1", "node2"))
    assert {one.pop("MIEN_NODE"), two.pop("MIEN_NODE")} == {"n1", "n2"}
    assert one == two and {"MIEN_DATABASE_URL", "MIEN_REDIS_URL", "MIEN_SECRET_KEY"} <= set(one)


def test_what_the_image_is_made_of_exists_and_is_sent_to_docker() -> None:
    dockerfile = (DOCKER / "Dockerfile").read_text()
    copied = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", dockerfile, re.MULTILINE)
        for source in line.split()[:-1]
    ]
    sent = set(re.findall(r"^!(.+)$", (DOCKER / "Dockerfile.dockerignore").read_text(), re.MULTILINE))
    assert [path for path in copied if not (PROJECT_ROOT / path).exists()] == []
    assert set(copied) == sent
