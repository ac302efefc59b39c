from __future__ import annotations

import datetime
import logging
import shutil
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.helpers.attacks import LoggedServer
from tests.helpers.host_browser import signed_in
from tests.helpers.room_client import TOKEN
from webapp.config import Settings
from webapp.server import upkeep
from webapp.server.upkeep import Concern, UpkeepLog, concerns

DAY_S = 24 * 3600.0
NOW = datetime.datetime.now(datetime.UTC)
TIMEOUT_S = 60


def write_pair(folder: Path, days: int) -> tuple[Path, Path]:
    """A certificate of a lab's own, which ends in so many days, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - datetime.timedelta(days=80))
        .not_valid_after(NOW + datetime.timedelta(days=days, hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    paths = folder / "lab.crt", folder / "lab.key"
    paths[0].write_bytes(certificate.public_bytes(pem))
    paths[1].write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths


def settings_with(folder: Path, days: int, https: bool = True) -> Settings:
    certificate, key = write_pair(folder, days)
    return Settings(https=https, data_dir=folder, tls_certificate=certificate, tls_key=key)


def subjects(settings: Settings) -> list[str]:
    return [one.subject for one in concerns(settings) if one.subject == "certificate"]


def test_a_certificate_of_ones_own_is_told_of_two_weeks_before_its_end(tmp_path: Path) -> None:
    for days, told in ((15, []), (13, ["certificate"]), (1, ["certificate"])):
        settings = settings_with(tmp_path, days)
        assert subjects(settings) == told
    assert subjects(settings_with(tmp_path, 1, https=False)) == []
    (tmp_path / "lab.crt").write_text("no certificate")
    assert subjects(settings) == [], "who needs it says so"


def test_a_disk_that_fills_is_told_of_and_one_with_room_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = shutil.disk_usage(tmp_path).free
    monkeypatch.setattr(upkeep, "MIN_FREE_BYTES", free // 2)
    assert concerns(Settings(data_dir=tmp_path)) == ()
    monkeypatch.setattr(upkeep, "MIN_FREE_BYTES", 2 * free)
    (concern,) = concerns(Settings(data_dir=tmp_path))
    assert concern.subject == "disk" and "GB free" in str(concern)
    assert concerns(Settings(data_dir=tmp_path / "gone")) == ()


def test_a_concern_is_logged_once_a_day_while_it_lasts(caplog: pytest.LogCaptureFixture) -> None:
    found: list[Concern] = []
    log = UpkeepLog(lambda: tuple(found))

    def lines_at(now_s: float) -> int:
        caplog.clear()
        with caplog.at_level(logging.WARNING, "webapp.server.upkeep"):
            log.note(now_s)
        return len(caplog.messages)

    assert lines_at(0) == 0
    found = [Concern("disk", free_bytes=1)]
    assert [lines_at(hour * 3600.0) for hour in range(1, 27)] == [1, *[0] * 23, 1, 0]
    found = []
    assert lines_at(1.2 * DAY_S) == 0
    found = [Concern("disk", free_bytes=1)]
    assert lines_at(1.3 * DAY_S) == 1, "it came back"


@pytest.mark.filterwarnings("ignore:Unverified HTTPS")
def test_log_metrics_and_the_list_of_rooms_tell_of_a_certificate_that_ends(tmp_path: Path) -> None:
    certificate, key = write_pair(tmp_path, 5)
    settings = {
        "MIEN_WORKERS": "1",
        "MIEN_HOST_TOKEN": TOKEN,
        "MIEN_HTTPS": "1",
        "MIEN_TLS_CERTIFICATE": str(certificate),
        "MIEN_TLS_KEY": str(key),
    }
    with LoggedServer(tmp_path / "log", **settings) as server:
        page = signed_in(server).open("/host").text
        metrics = requests.get(f"{server.url}/metrics", timeout=TIMEOUT_S, verify=False).text  # noqa: S501
    end = NOW + datetime.timedelta(days=5, hours=1)
    assert "certificate ends on" in page and f"{end.day}, {end.year}" in page and "Install a new one" in page
    assert 'mien_upkeep_due{subject="certificate"} 1.0' in metrics
    assert (tmp_path / "log").read_text().count(f"the certificate ends on {end:%Y-%m-%d}") == 1
