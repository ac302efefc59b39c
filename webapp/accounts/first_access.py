"""How the first host gets in: by a token, with which a browser may create one account.

The token is the one that `MIEN_HOST_TOKEN` sets, or one that the server makes at its start while nobody has
an account. Its holder chooses a name and a password; further hosts are added by hosts.
"""

from __future__ import annotations

import hmac
import secrets

from itsdangerous import BadData, URLSafeTimedSerializer

from webapp.accounts.directory import Directory
from webapp.accounts.hosts import Hosts
from webapp.accounts.rate_limits import AttemptLimit
from webapp.store.records import HostRecord

FIRST_ACCESS_S = 1800
"""How long the page for the first account stays open to a browser that showed the token."""


class FirstAccess:
    """The token, and what a browser keeps as proof that it had it. Any thread may call it.

    `given_token` is the one that is set; `attempts` limits wrong ones. `first_token` is what the nodes of one
    database have in common in place of one that is made at the start.
    """

    def __init__(
        self,
        directory: Directory,
        hosts: Hosts,
        given_token: str | None,
        attempts: AttemptLimit,
        first_token: str | None = None,
    ) -> None:
        self._directory = directory
        self._hosts = hosts
        self._given_token = given_token
        self._made_token = first_token or secrets.token_urlsafe(24)
        self._attempts = attempts

    def token(self) -> str | None:
        """The token: the one set, or this start's while nobody has an account."""
        return self._given_token or self.made_token()

    def made_token(self) -> str | None:
        """The token of this start, where none is set and nobody has an account."""
        return None if self._given_token or self._hosts.all() else self._made_token

    def is_token(self, given: str) -> bool:
        """Whether this is the token now."""
        token = self.token()
        return token is not None and hmac.compare_digest(token.encode(), given.encode())

    def open(self, token: str, address: str | None) -> str | None:
        """What a browser keeps as proof that it had the token; None where the token is wrong.

        Raises:
            TooManyAttemptsError: too many from this address were wrong.
        """
        self._attempts.begin(address)
        if not self.is_token(token):
            return None
        self._attempts.give_back(address)
        proof: str = _signer(token).dumps(self._newest_host())
        return proof

    def is_proof(self, proof: object) -> bool:
        """Whether a browser may create an account: the token that it showed is the one now.

        A proof is good for one account, as another newest host ends it, and for `FIRST_ACCESS_S`.
        """
        token = self.token()
        if token is None or not isinstance(proof, str):
            return False
        try:
            newest = _signer(token).loads(proof, max_age=FIRST_ACCESS_S)
        except BadData:
            return False
        return bool(newest == self._newest_host())

    def add_host(self, proof: object, name: object, password: object) -> HostRecord | None:
        """The account for a proof from `open`; None where that is worth nothing by now.

        Raises:
            BadRequestError: the name is taken, or either cannot be used.
        """
        with self._directory.changing():
            return self._hosts.add(name, password) if self.is_proof(proof) else None

    def _newest_host(self) -> int:
        return max((host.id for host in self._hosts.all()), default=0)


def _signer(token: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(token, salt="first access")


def first_token(key: str) -> str:
    """The token that all nodes with one key of sessions make, while nobody has an account."""
    return hmac.new(key.encode(), b"first access", "sha256").hexdigest()[:32]
