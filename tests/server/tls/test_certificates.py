from __future__ import annotations

import contextlib
import datetime
import ipaddress
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from tests.server.full_disk import full_disk
from webapp.config import Settings
from webapp.errors import CertificateError
from webapp.server.tls import certificates
from webapp.server.tls.certificates import (
    CertificatePair,
    authority_fingerprint,
    authority_pem,
    certified_names,
    check_pair,
    ensure_certificate,
)


def settings_in(folder: Path) -> Settings:
    return Settings(https=True, data_dir=folder)


def load(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> CertificatePair:
    return ensure_certificate(settings_in(tmp_path_factory.mktemp("instance")))


def test_it_names_this_machine_and_its_addresses(pair: CertificatePair) -> None:
    names = load(pair.certificate).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "localhost" in names.get_values_for_type(x509.DNSName)
    addresses = names.get_values_for_type(x509.IPAddress)
    assert {ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1")} <= set(addresses)


def test_it_is_signed_by_the_authority_and_valid_as_long_as_browsers_take(pair: CertificatePair) -> None:
    assert pair.authority is not None
    certificate = load(pair.certificate)
    certificate.verify_directly_issued_by(load(pair.authority))
    lifetime = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert lifetime < datetime.timedelta(days=398)


def handshake(pair: CertificatePair, authority: Path, host: str) -> None:
    """A client that trusts `authority` alone meets a server with `pair`, in memory."""
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(pair.certificate, pair.key)
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context(cafile=authority).wrap_bio(to_client, to_server, server_hostname=host)
    server = serving.wrap_bio(to_server, to_client, server_side=True)
    for end in (client, server, client):
        with contextlib.suppress(ssl.SSLWantReadError):
            end.do_handshake()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_who_trusts_the_authority_trusts_this_machine(pair: CertificatePair, host: str) -> None:
    assert pair.authority is not None
    handshake(pair, pair.authority, host)


def test_the_authority_cannot_vouch_for_the_rest_of_the_internet(pair: CertificatePair) -> None:
    assert pair.authority is not None
    folder = pair.key.parent
    elsewhere = CertificatePair(folder / "elsewhere.crt", folder / "elsewhere.key")
    names = frozenset([x509.DNSName("bank.example")])
    certificates._make_server_certificate(elsewhere, pair.authority, folder / "authority.key", names)
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        handshake(elsewhere, pair.authority, "bank.example")


def test_keys_are_readable_by_their_owner_alone(pair: CertificatePair) -> None:
    for key in pair.key.parent.glob("*.key"):
        assert key.stat().st_mode & 0o777 == 0o600


def test_a_second_start_keeps_the_certificate(pair: CertificatePair) -> None:
    before = pair.certificate.read_bytes()
    again = ensure_certificate(settings_in(pair.key.parent.parent))
    assert again.certificate.read_bytes() == before


@pytest.mark.parametrize("address", ["192.168.7.7", "10.1.2.3", "fd00::7"])
def test_a_new_address_gives_a_new_certificate_of_the_same_authority(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    first = ensure_certificate(settings_in(tmp_path))
    authority = (tmp_path / "tls" / "authority.crt").read_bytes()
    before = first.certificate.read_bytes()
    monkeypatch.setattr(certificates, "network_addresses", lambda: [ipaddress.ip_address(address)])
    second = ensure_certificate(settings_in(tmp_path))
    assert second.certificate.read_bytes() != before
    assert (tmp_path / "tls" / "authority.crt").read_bytes() == authority
    handshake(second, tmp_path / "tls" / "authority.crt", address)


def test_a_public_address_in_another_network_gives_a_new_authority_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    authority = tmp_path / "tls" / "authority.crt"
    seen = []
    for address in ["198.51.100.7", "198.51.100.8", "203.0.113.7"]:
        monkeypatch.setattr(certificates, "network_addresses", lambda at=address: [ipaddress.ip_address(at)])
        handshake(ensure_certificate(settings_in(tmp_path)), authority, address)
        seen.append((authority.read_bytes(), len(caplog.messages)))
    assert seen[0] == seen[1]
    assert seen[2][0] != seen[1][0]
    assert "import it again" in caplog.messages[0]


@pytest.mark.parametrize("lost", ["server.key", "server.crt", "authority.key", "authority.crt"])
def test_files_that_do_not_belong_together_are_made_anew(tmp_path: Path, lost: str) -> None:
    other = ensure_certificate(settings_in(tmp_path / "other")).key.parent
    pair = ensure_certificate(settings_in(tmp_path / "instance"))
    (pair.key.parent / lost).write_bytes((other / lost).read_bytes())
    handshake(
        ensure_certificate(settings_in(tmp_path / "instance")), pair.key.parent / "authority.crt", "localhost"
    )


@pytest.mark.parametrize("damaged", ["server.key", "server.crt", "authority.key", "authority.crt"])
@pytest.mark.parametrize("left", [b"", b"-----BEGIN"])
def test_files_of_our_own_that_a_full_disk_cut_off_are_made_anew(
    tmp_path: Path, damaged: str, left: bytes
) -> None:
    pair = ensure_certificate(settings_in(tmp_path))
    (pair.key.parent / damaged).write_bytes(left)
    handshake(ensure_certificate(settings_in(tmp_path)), pair.key.parent / "authority.crt", "localhost")


def test_a_full_disk_leaves_no_half_files_and_names_the_setting(tmp_path: Path) -> None:
    with full_disk(), pytest.raises(CertificateError, match="MIEN_DATA_DIR"):
        ensure_certificate(settings_in(tmp_path))
    assert list((tmp_path / "tls").iterdir()) == []
    ensure_certificate(settings_in(tmp_path))


def test_the_fingerprint_is_that_of_the_authority(pair: CertificatePair, tmp_path: Path) -> None:
    assert pair.authority is not None
    expected = load(pair.authority).fingerprint(hashes.SHA256())
    shown = authority_fingerprint(settings_in(pair.key.parent.parent))
    assert shown is not None and bytes.fromhex(shown.replace(":", "")) == expected
    assert authority_fingerprint(settings_in(tmp_path)) is None


def test_the_names_of_the_labs_certificate_are_known(pair: CertificatePair) -> None:
    names = certified_names(Settings(https=True, tls_certificate=pair.certificate, tls_key=pair.key))
    assert {"localhost", "127.0.0.1", "::1"} <= set(names)
    assert certified_names(Settings(https=True)) == []


def test_a_certificate_about_to_expire_is_renewed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificates, "SERVER_DAYS", certificates.RENEW_BEFORE_DAYS - 1)
    before = ensure_certificate(settings_in(tmp_path)).certificate.read_bytes()
    monkeypatch.undo()
    assert ensure_certificate(settings_in(tmp_path)).certificate.read_bytes() != before


def test_the_labs_own_certificate_is_taken_as_it_is(pair: CertificatePair) -> None:
    own = Settings(https=True, tls_certificate=pair.certificate, tls_key=pair.key)
    assert ensure_certificate(own) == CertificatePair(pair.certificate, pair.key)
    assert authority_pem(own) is None


def test_the_authority_is_given_out_only_where_there_is_one(pair: CertificatePair, tmp_path: Path) -> None:
    pem = authority_pem(settings_in(pair.key.parent.parent))
    assert pem is not None
    assert ssl.PEM_cert_to_DER_cert(pem.decode())
    assert authority_pem(settings_in(tmp_path)) is None


def test_a_key_of_another_certificate_is_refused(pair: CertificatePair, tmp_path: Path) -> None:
    other = ensure_certificate(settings_in(tmp_path))
    with pytest.raises(CertificateError, match="does not belong"):
        check_pair(pair.certificate, other.key)


def test_an_expired_certificate_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificates, "SERVER_DAYS", 0)
    monkeypatch.setattr(certificates, "RENEW_BEFORE_DAYS", -2)
    old = ensure_certificate(settings_in(tmp_path))
    with pytest.raises(CertificateError, match="expired"):
        check_pair(old.certificate, old.key)


@pytest.mark.parametrize("content", [None, b"", b"not a certificate"])
def test_files_that_cannot_be_read_are_named(
    pair: CertificatePair, tmp_path: Path, content: bytes | None
) -> None:
    broken = tmp_path / "broken.pem"
    if content is not None:
        broken.write_bytes(content)
    with pytest.raises(CertificateError, match=r"broken\.pem"):
        check_pair(broken, pair.key)
    with pytest.raises(CertificateError, match=r"broken\.pem"):
        check_pair(pair.certificate, broken)


def test_a_folder_that_cannot_be_made_says_which_setting_to_change(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CertificateError, match="MIEN_DATA_DIR"):
        ensure_certificate(settings_in(tmp_path / "file"))
