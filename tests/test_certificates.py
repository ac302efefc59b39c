from __future__ import annotations

import datetime
import ipaddress
import ssl
from pathlib import Path

import pytest
from cryptography import x509

from webapp import certificates
from webapp.certificates import CertificatePair, authority_pem, check_pair, ensure_certificate
from webapp.config import Settings
from webapp.errors import CertificateError


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


def test_keys_are_readable_by_their_owner_alone(pair: CertificatePair) -> None:
    for key in pair.key.parent.glob("*.key"):
        assert key.stat().st_mode & 0o777 == 0o600


def test_a_second_start_keeps_the_certificate(pair: CertificatePair) -> None:
    before = pair.certificate.read_bytes()
    again = ensure_certificate(settings_in(pair.key.parent.parent))
    assert again.certificate.read_bytes() == before


def test_new_addresses_give_a_new_certificate_of_the_same_authority(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ensure_certificate(settings_in(tmp_path))
    authority = (tmp_path / "tls" / "authority.crt").read_bytes()
    before = first.certificate.read_bytes()
    monkeypatch.setattr(certificates, "network_addresses", lambda: [ipaddress.ip_address("192.0.2.7")])
    second = ensure_certificate(settings_in(tmp_path))
    assert second.certificate.read_bytes() != before
    assert (tmp_path / "tls" / "authority.crt").read_bytes() == authority


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
