from __future__ import annotations

import shutil
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from webapp.config import Settings
from webapp.server.tls.certificates import CertificatePair, ensure_certificate
from webapp.server.tls.renewals import Renewals
from webapp.server.tls.tls_listener import tls_context


@pytest.fixture
def pairs(tmp_path: Path) -> Iterator[list[CertificatePair]]:
    """Two certificates of two authorities."""
    yield [ensure_certificate(Settings(host="0.0.0.0", data_dir=tmp_path / name)) for name in "ab"]


def served(context: ssl.SSLContext) -> str:
    """The certificate that a new connection gets, as PEM."""
    near, far = socket.socketpair()
    with near, far:
        answering = threading.Thread(target=lambda: context.wrap_socket(far, server_side=True).close())
        answering.start()
        client = ssl.create_default_context()
        client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
        with client.wrap_socket(near) as link:
            found = link.getpeercert(binary_form=True)
        answering.join()
    assert found is not None
    return ssl.DER_cert_to_PEM_cert(found)


def test_new_connections_get_a_certificate_that_was_renewed(pairs: list[CertificatePair]) -> None:
    old, new = pairs
    context = tls_context(old.certificate, old.key)
    renewals = Renewals(context, old)
    before = served(context)
    assert not renewals.check()
    shutil.copy(new.certificate, old.certificate)
    assert not renewals.check(), "the key is still the old one"
    assert served(context) == before
    shutil.copy(new.key, old.key)
    assert renewals.check()
    assert served(context) != before
    assert served(context) in new.certificate.read_text()
    assert not renewals.check()


def test_files_that_are_missing_for_a_moment_change_nothing(pairs: list[CertificatePair]) -> None:
    pair = pairs[0]
    context = tls_context(pair.certificate, pair.key)
    renewals, before = Renewals(context, pair), served(context)
    moved = pair.key.rename(pair.key.with_suffix(".old"))
    assert not renewals.check()
    assert served(context) == before
    moved.rename(pair.key)
    renewals.check()
    assert served(context) == before
