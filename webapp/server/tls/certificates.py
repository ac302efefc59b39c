"""The TLS certificate of `make serve`: the site's own, if configured, or one that this server makes.

A server without a configured certificate becomes its own certificate authority. Whoever imports
`authority.crt` trusts every certificate that it signs later, when addresses change or the year is over:

    instance/tls/authority.crt, authority.key      ten years
    instance/tls/server.crt, server.key            names and addresses of this machine; renewed at a start

Keys are readable by their owner only. If the authority's key is stolen all the same, it does not open the
internet: the authority is constrained to this machine's names and networks and to private networks (RFC 5280,
4.2.1.10), and browsers accept no other certificate from it.
"""

from __future__ import annotations

import datetime
import ipaddress
import logging
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from webapp.config import Settings
from webapp.errors import CertificateError
from webapp.server.addresses import IpAddress, host_names, loopback_addresses, network_addresses
from webapp.server.data_dir import write_file

AUTHORITY_DAYS = 3650
SERVER_DAYS = 397
"""Browsers refuse server certificates that are valid for longer (398 days at most)."""

RENEW_BEFORE_DAYS = 30
CLOCK_SKEW = datetime.timedelta(hours=1)

PRIVATE_NETWORKS = (
    *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"),
    *("127.0.0.0/8", "169.254.0.0/16", "::1/128", "fc00::/7"),
)
"""Networks that are private to every site: the authority may always sign for addresses there."""

OWN_NETWORK_BITS = {4: 24, 6: 64}
"""The prefix of a public address of this machine that the authority may sign for: the rest may change with
the next lease."""

logger = logging.getLogger(__name__)

PrivateKey = ec.EllipticCurvePrivateKey
Names = frozenset[x509.GeneralName]


@dataclass(frozen=True, slots=True)
class CertificatePair:
    """PEM files of a certificate (chain) and its key; `authority` is the one to import, if it is our own."""

    certificate: Path
    key: Path
    authority: Path | None = None


def ensure_certificate(settings: Settings) -> CertificatePair:
    """The certificate to serve with: the configured one, or this server's own, made or renewed if needed.

    Raises:
        CertificateError: the configured files cannot be used, or the folder for our own cannot be written.
    """
    if settings.tls_certificate and settings.tls_key:
        check_pair(settings.tls_certificate, settings.tls_key)
        return CertificatePair(settings.tls_certificate, settings.tls_key)
    folder = settings.data_dir / "tls"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return _own_certificate(folder)
    except OSError as error:
        raise CertificateError(
            f"The certificate cannot be stored in {folder}: {error.strerror}. Set MIEN_DATA_DIR to a folder "
            "that this user may write to."
        ) from error


def certificate_end(settings: Settings) -> datetime.datetime | None:
    """When the certificate that https serves with ends, in UTC; None without https, or before it is made."""
    path = settings.tls_certificate or settings.data_dir / "tls" / "server.crt"
    return _load_certificate(path).not_valid_after_utc if settings.https and path.is_file() else None


def authority_pem(settings: Settings) -> bytes | None:
    """The certificate of this server's own authority, or None if it has none."""
    path = settings.data_dir / "tls" / "authority.crt"
    own = settings.https and settings.tls_certificate is None
    return path.read_bytes() if own and path.is_file() else None


def authority_fingerprint(settings: Settings) -> str | None:
    """SHA-256 of this server's own authority as browsers show it, or None if it has none."""
    pem = authority_pem(settings)
    if pem is None:
        return None
    return x509.load_pem_x509_certificate(pem).fingerprint(hashes.SHA256()).hex(":").upper()


def certified_names(settings: Settings) -> list[str]:
    """The names and addresses in the configured certificate; empty if there is none.

    Raises:
        CertificateError: it cannot be read.
    """
    if settings.tls_certificate is None:
        return []
    extensions = _load_certificate(settings.tls_certificate).extensions
    try:
        named = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    addresses = map(str, named.get_values_for_type(x509.IPAddress))
    return [*named.get_values_for_type(x509.DNSName), *addresses]


def check_pair(certificate: Path, key: Path) -> None:
    """Check that two PEM files are a valid certificate and its unencrypted key.

    Raises:
        CertificateError: says which file is wrong, how, and what to do.
    """
    loaded = _load_certificate(certificate)
    if loaded.public_key() != _load_key(key).public_key():
        raise CertificateError(
            f"The key {key} does not belong to the certificate {certificate}; "
            "set MIEN_TLS_CERTIFICATE and MIEN_TLS_KEY to files that were made together."
        )
    if loaded.not_valid_after_utc < _now():
        raise CertificateError(
            f"The certificate {certificate} expired on {loaded.not_valid_after_utc:%Y-%m-%d}; renew it."
        )


def _own_certificate(folder: Path) -> CertificatePair:
    authority, authority_key = folder / "authority.crt", folder / "authority.key"
    pair = CertificatePair(folder / "server.crt", folder / "server.key", authority)
    names = _own_names()
    if not _may_sign(authority, authority_key, names):
        _make_authority(authority, authority_key, names)
    if not _is_current(pair, authority, names):
        _make_server_certificate(pair, authority, authority_key, names)
    return pair


def _may_sign(authority: Path, authority_key: Path, names: Names) -> bool:
    """Whether there is an authority that may sign for all names until the certificate expires."""
    if not (authority.is_file() and authority_key.is_file()):
        return False
    certificate = _own_certificate_of(authority, authority_key)
    if certificate is None or not _may_sign_for(certificate, names):
        logger.warning(
            "Making a new certificate authority: whoever imported %s must import it again.", authority
        )
        return False
    return True


def _may_sign_for(authority: x509.Certificate, names: Names) -> bool:
    days_left = (authority.not_valid_after_utc - _now()).days
    return _permitted(authority) >= _constraints(names) and days_left > SERVER_DAYS


def _own_certificate_of(certificate: Path, key: Path) -> x509.Certificate | None:
    """A certificate that this server made, or None if it or its key is damaged, or they do not match."""
    try:
        loaded, loaded_key = _load_certificate(certificate), _load_key(key)
    except CertificateError as error:
        logger.warning("%s A new one is made.", error)
        return None
    return loaded if loaded.public_key() == loaded_key.public_key() else None


def _is_current(pair: CertificatePair, authority: Path, names: Names) -> bool:
    """Whether the certificate has all names of this machine, is the authority's, and does not expire soon."""
    if not (pair.certificate.is_file() and pair.key.is_file()):
        return False
    certificate, issuer = _own_certificate_of(pair.certificate, pair.key), _load_certificate(authority)
    if certificate is None:
        return False
    issued_by = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    issuer_id = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    is_issued = issued_by.key_identifier == issuer_id.key_identifier
    named = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    days_left = (certificate.not_valid_after_utc - _now()).days
    return is_issued and names <= set(named) and days_left > RENEW_BEFORE_DAYS


def _own_names() -> Names:
    names = [x509.DNSName(name) for name in host_names()]
    addresses = [x509.IPAddress(address) for address in [*loopback_addresses(), *network_addresses()]]
    return frozenset([*names, *addresses])


def _constraints(names: Names) -> Names:
    """The constraints of an authority that may sign for `names`: the names, and networks of the addresses."""
    return frozenset(
        x509.IPAddress(_own_network(name.value))
        if isinstance(name, x509.IPAddress) and isinstance(name.value, IpAddress)
        else name
        for name in names
    )


def _own_network(address: IpAddress) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """The private network that contains the address, or the block of public addresses around it."""
    for network in map(ipaddress.ip_network, PRIVATE_NETWORKS):
        if address in network:
            return network
    return ipaddress.ip_network(f"{address}/{OWN_NETWORK_BITS[address.version]}", strict=False)


def _permitted(authority: x509.Certificate) -> Names:
    try:
        constraints = authority.extensions.get_extension_for_class(x509.NameConstraints).value
    except x509.ExtensionNotFound:
        return frozenset()
    return frozenset(constraints.permitted_subtrees or ())


def _make_authority(certificate: Path, key_path: Path, names: Names) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"Mien on {host_names()[0]}"[:64])
    private = {x509.IPAddress(ipaddress.ip_network(network)) for network in PRIVATE_NETWORKS}
    permitted = sorted(private | _constraints(names), key=str)
    built = (
        _builder(name, name, key, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints(permitted, excluded_subtrees=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    write_file(key_path, _key_pem(key))
    write_file(certificate, built.public_bytes(serialization.Encoding.PEM), mode=0o644)


def _make_server_certificate(
    pair: CertificatePair, authority: Path, authority_key: Path, names: Names
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    issuer, issuer_key = _load_certificate(authority), _load_key(authority_key)
    built = (
        _builder(_name(host_names()[0][:64]), issuer.subject, key, SERVER_DAYS)
        .add_extension(x509.SubjectAlternativeName(sorted(names, key=str)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
        .sign(issuer_key, hashes.SHA256())
    )
    write_file(pair.key, _key_pem(key))
    write_file(pair.certificate, built.public_bytes(serialization.Encoding.PEM), mode=0o644)


def _builder(subject: x509.Name, issuer: x509.Name, key: PrivateKey, days: int) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_now() - CLOCK_SKEW)
        .not_valid_after(_now() + datetime.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _key_usage(signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _key_pem(key: PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _load_certificate(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        raise CertificateError(
            f"The certificate {path} cannot be read: {error}. It must be a PEM file."
        ) from error


def _load_key(path: Path) -> PrivateKey:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise CertificateError(
            f"The key {path} cannot be read: {error}. It must be a PEM file without a password."
        ) from error
    return key  # type: ignore[return-value]  # a configured one may be RSA: only its public half is compared


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
