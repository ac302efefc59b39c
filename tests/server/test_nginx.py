"""Behind nginx with the configuration that is shipped."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.helpers.serving import PROJECT_ROOT, Server, free_port
from tests.helpers.waiting import wait_until

NAME = "mien.example.org"

pytestmark = pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")


def configured(folder: Path, port: int, server: Server) -> str:
    """A configuration with the site that is shipped, on plain http and a port of its own."""
    site = (PROJECT_ROOT / "deploy" / "nginx.conf").read_text()
    site = site.replace("server 127.0.0.1:5000;", f"server {server.url.removeprefix('http://')};")
    redirect, ours = re.findall(r"^server \{.*?^\}", site, re.DOTALL | re.MULTILINE)
    site = site.replace(redirect, "")
    plain = re.sub(r"^ +(listen|ssl_\w+) .*\n", "", ours, flags=re.MULTILINE)
    site = site.replace(ours, plain.replace("{", f"{{\n    listen 127.0.0.1:{port};", 1))
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    return (
        f"daemon off;\nmaster_process off;\npid {folder}/nginx.pid;\nerror_log stderr;\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{paths}{site}\n}}\n"
    )


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str]]:
    """A server, and the address of nginx in front of it."""
    folder = tmp_path_factory.mktemp("nginx")
    port = free_port()
    with Server(MIEN_WORKERS="1", MIEN_PROXIES="1", MIEN_KNOWN_HOSTS=NAME) as server:
        (folder / "nginx.conf").write_text(configured(folder, port, server))
        nginx = subprocess.Popen(["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")])
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until(lambda: nginx.poll() is not None or is_up(url))
            yield server, url
        finally:
            nginx.terminate()
            nginx.wait(30)


def is_up(url: str) -> bool:
    try:
        return requests.get(f"{url}/healthz", timeout=10).ok
    except requests.ConnectionError:
        return False


def test_files_of_jobs_may_be_large_and_images_as_large_as_mien_takes_them(
    proxied: tuple[Server, str],
) -> None:
    _, url = proxied
    page = {"Host": NAME, "Origin": f"http://{NAME}", "Sec-Fetch-Site": "same-origin"}
    video = {"file": ("clip.mp4", bytes(60_000_000))}
    answer = requests.post(f"{url}/api/v1/jobs", files=video, headers=page, timeout=120)
    assert answer.status_code == 202, answer.text
    image = {"image": ("a.jpg", bytes(29_000_000))}
    answer = requests.post(f"{url}/api/v1/analyze", files=image, headers=page, timeout=120)
    assert (answer.status_code, answer.json()["problem"]["code"]) == (400, "bad_frame")
