"""Hosts, and what proves that a request is theirs: a session, a key, or the token of the first access."""

from __future__ import annotations

from collections.abc import Callable

from webapp.accounts.api_keys import ApiKeys
from webapp.accounts.directory import Directory
from webapp.accounts.first_access import FirstAccess
from webapp.accounts.hosts import Hosts
from webapp.accounts.identity import HostUser
from webapp.accounts.rate_limits import AttemptLimit
from webapp.accounts.sessions import Sessions
from webapp.accounts.shared_counts import Counts
from webapp.store.client import Store

ATTEMPTS_PER_MINUTE = 10
"""Wrong passwords, wrong links for the first account, and wrong keys and tokens, each from one address."""


class AccountService:
    """The `hosts` of this server, their `sessions` and `keys`, and the `first_access`.

    Any thread may call it. `token` is the one that is set for the first access, if any.
    """

    def __init__(
        self,
        store: Store,
        token: str | None,
        *,
        first_token: str | None = None,
        changes: Callable[[], int] = lambda: 0,
        is_up_to_date: Callable[[], bool] = lambda: True,
        counts: Counts | None = None,
    ) -> None:
        """Nodes share a `first_token`, the number of `changes` of accounts, and the `counts` of attempts.

        See `Directory` for `changes` and `is_up_to_date`.
        """
        directory = Directory(store, changes, is_up_to_date)
        sign_ins = AttemptLimit(ATTEMPTS_PER_MINUTE, counts=counts, name="sign-ins")
        self._bearers = AttemptLimit(ATTEMPTS_PER_MINUTE, counts=counts, name="bearers")
        self.hosts = Hosts(store, directory, sign_ins)
        self.sessions = Sessions(store, directory)
        self.keys = ApiKeys(store, directory)
        links = AttemptLimit(ATTEMPTS_PER_MINUTE, counts=counts, name="first-access")
        self.first_access = FirstAccess(directory, self.hosts, token, links, first_token)

    def by_bearer(self, secret: str, address: str | None) -> HostUser | None:
        """The host whose key this is, or whoever has the token.

        Keys are too long to be guessed, so right ones never wait for what others at the address tried.

        Raises:
            TooManyAttemptsError: too many from this address were wrong.
        """
        if user := self.keys.user(secret):
            return user
        self._bearers.begin(address)
        if not self.first_access.is_token(secret):
            return None
        self._bearers.give_back(address)
        return HostUser(None, "token")

    def is_still_valid(self, user: HostUser) -> bool:
        """Whether what once proved who a user is would do so now."""
        if user.proof == "token":
            return self.first_access.token() is not None
        if user.key is not None:
            return self.keys.is_valid(user.key)
        return self.sessions.user(user.get_id()) is not None
