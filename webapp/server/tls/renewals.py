"""Loads a renewed certificate without a restart: certbot renews one every two months."""

from __future__ import annotations

import logging
import ssl
import threading

from webapp.errors import CertificateError
from webapp.server.tls.certificates import CertificatePair, check_pair

INTERVAL_S = 60.0

Version = tuple[int, ...]

logger = logging.getLogger(__name__)


class Renewals:
    """Loads the files of a certificate into a TLS context again when they change; new connections get it."""

    def __init__(self, context: ssl.SSLContext, pair: CertificatePair) -> None:
        self._context = context
        self._pair = pair
        self._loaded = self._version()

    def start(self) -> None:
        """Check the files once a minute until the process ends."""
        threading.Thread(target=self._run, name="certificate", daemon=True).start()

    def check(self) -> bool:
        """Load the files if they have changed and belong together; return whether they were loaded.

        While only one of them has been replaced they do not match: that is logged, and checked again.
        """
        version = self._version()
        if version == self._loaded:
            return False
        try:
            check_pair(self._pair.certificate, self._pair.key)
            self._context.load_cert_chain(self._pair.certificate, self._pair.key)
        except (CertificateError, OSError) as error:
            logger.error("the certificate has changed and cannot be used; the old one is served: %s", error)
            return False
        self._loaded = version
        logger.warning("the certificate has changed; new connections get the new one")
        return True

    def _run(self) -> None:
        while True:
            threading.Event().wait(INTERVAL_S)
            self.check()

    def _version(self) -> Version:
        """What changes with the files; empty while one of them is missing."""
        try:
            stats = [path.stat() for path in (self._pair.certificate, self._pair.key)]
        except OSError:
            return ()
        return tuple(value for stat in stats for value in (stat.st_mtime_ns, stat.st_ino, stat.st_size))
