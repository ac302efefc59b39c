"""The commands of docs/operations.md do what it says, while a server runs on the data."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.helpers.room_client import (
    TOKEN,
    ParticipantClient,
    api,
    export,
    make_room,
    rows,
    wait_until_stored,
)
from tests.helpers.serving import Server
from webapp.config import PROJECT_ROOT, Settings
from webapp.server.startup_banner import serving_lines
from webapp.server.tls.certificates import authority_fingerprint, ensure_certificate

DOCUMENT = PROJECT_ROOT / "docs" / "operations.md"


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """A folder like the project's, as far as the commands use it: an environment, and a data folder to be."""
    program = tmp_path / ".venv" / "bin" / "mien"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{PROJECT_ROOT}" exec "{sys.executable}" -m webapp "$@"\n')
    program.chmod(0o755)
    return tmp_path


def commands(name: str) -> str:
    """The block of commands that the document marks with this name."""
    (found,) = re.findall(rf"<!-- test: {name} -->\n```\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    return str(found)


def run(name: str, folder: Path) -> str:
    """What a block prints; it fails the test if one of its commands fails."""
    script = f"set -euo pipefail\n{commands(name)}"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=os.environ | {"MIEN_DATA_DIR": str(folder / "instance")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def record(server: Server, code: str, jpeg: bytes, frames: int) -> None:
    """Record some frames of one participant."""
    with ParticipantClient(server) as one:
        one.join(code)
        one.wait_for_clock()
        api(server, "POST", f"/rooms/{code}/recording", {"state": "started"})
        for _ in range(frames):
            assert "faces" in one.send(jpeg)
        wait_until_stored(server, code, frames)


def test_a_backup_made_while_the_server_runs_brings_everything_back(lab: Path, astronaut_jpeg: bytes) -> None:
    settings = {"MIEN_WORKERS": "1", "MIEN_HOST_TOKEN": TOKEN, "MIEN_DATA_DIR": str(lab / "instance")}
    with Server(**settings) as server:
        kept = make_room(server)
        record(server, kept, astronaut_jpeg, frames=5)
        run("backup", lab)
        run("check", lab)
        lost = make_room(server)
    assert (lab / "mien.zip").stat().st_mode & 0o077 == 0
    key = (lab / "instance" / "session.key").read_bytes()
    assert (lab / "trial" / "session.key").read_bytes() == key, "the trial is a whole copy"
    run("restore", lab)
    (before,) = (lab / "instance").glob("before-restore-*")
    assert {"mien.sqlite", "session.key"} <= {path.name for path in before.iterdir()}
    with Server(**settings) as restored:
        assert len(rows(export(restored, kept)["samples.csv"])) == 5
        assert api(restored, "GET", f"/rooms/{lost}").status_code == 404
    assert (lab / "instance" / "session.key").read_bytes() == key, "hosts stay signed in"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_the_fingerprint_is_the_one_that_the_server_prints(lab: Path) -> None:
    settings = Settings(https=True, data_dir=lab / "instance")
    ensure_certificate(settings)
    _, _, fingerprint = run("fingerprint", lab).strip().partition("=")
    assert fingerprint == authority_fingerprint(settings)
    printed = re.sub(r"\s", "", serving_lines(settings, fingerprint))
    assert len(fingerprint) == 32 * 3 - 1 and fingerprint in printed


def test_metrics_are_asked_for_as_the_document_says(server: Server, tmp_path: Path) -> None:
    requests.get(f"{server.url}/about", timeout=30)
    block = commands("metrics").replace("localhost:5000", f"localhost:{server.port}")
    block = block.replace("mien_frames_total", "mien_http_requests_total")
    done = subprocess.run(["bash", "-c", block], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert 'area="about"' in done.stdout, done.stderr
