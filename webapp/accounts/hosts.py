"""The accounts of hosts: their names and passwords.

Passwords are hashed and checked in the store's process: that takes a tenth of a second, on purpose.
"""

from __future__ import annotations

from webapp.accounts.directory import Directory
from webapp.accounts.rate_limits import AttemptLimit
from webapp.errors import BadRequestError
from webapp.store.client import Store
from webapp.store.records import HostRecord
from webapp.store.repositories.accounts import AccountRepository
from webapp.store.text_checks import check_text

MAX_HOST_NAME_LENGTH = 80
MIN_PASSWORD_LENGTH = 10
MAX_PASSWORD_LENGTH = 1000


class Hosts:
    """The hosts of this server; `sign_ins` limits wrong passwords. Any thread may call it."""

    def __init__(self, store: Store, directory: Directory, sign_ins: AttemptLimit) -> None:
        self._store = store
        self._directory = directory
        self._sign_ins = sign_ins

    def all(self) -> list[HostRecord]:
        """Everybody with an account.

        Raises:
            StoreError: the store cannot tell.
        """
        return list(self._directory.accounts().hosts.values())

    def add(self, name: object, password: object) -> HostRecord:
        """A new account.

        Raises:
            BadRequestError: the name is taken, or either cannot be used.
        """
        checked_name = check_text("name", name, MAX_HOST_NAME_LENGTH)
        checked_password = check_password(password)
        with self._directory.changing() as accounts:
            added = self._store.call(AccountRepository.add_host, checked_name, checked_password)
            if added is None:
                raise BadRequestError("Another host has this name; choose another.", "name")
            accounts.hosts[added.id] = added
        return added

    def remove(self, host_id: int) -> None:
        """Delete an account; its sessions, keys and boards end at once.

        Raises:
            BadRequestError: it is the last one.
        """
        with self._directory.changing() as accounts:
            if not self._store.call(AccountRepository.delete_host, host_id):
                raise BadRequestError("The last host stays, or nobody could sign in.")
            accounts.hosts.pop(host_id, None)
            for key in [key for key in accounts.keys.values() if key.host_id == host_id]:
                accounts.keys.pop(key.secret_hash, None)

    def by_password(self, name: str, password: str, address: str | None) -> HostRecord | None:
        """The host whose name and password these are.

        Raises:
            TooManyAttemptsError: too many from this address were wrong.
        """
        self._sign_ins.begin(address)
        found = self._store.call(AccountRepository.check_password, name, password[:MAX_PASSWORD_LENGTH])
        if found is not None:
            self._sign_ins.give_back(address)
        return found

    def change_password(self, host: HostRecord, old: str, new: object, address: str | None) -> HostRecord:
        """Give a host another password; all their sessions end, and the record has the stamp of the next.

        Raises:
            BadRequestError: the current password is wrong, or the new one cannot be used.
            TooManyAttemptsError: too many from this address were wrong.
        """
        if self.by_password(host.name, old, address) is None:
            raise BadRequestError("The current password is wrong.", "old")
        with self._directory.changing() as accounts:
            changed = self._store.call(AccountRepository.set_password, host.id, check_password(new))
            if changed is None:
                raise BadRequestError("This account is gone.")
            accounts.hosts[host.id] = changed
        return changed


def check_password(given: object) -> str:
    """A password that may be chosen.

    Raises:
        BadRequestError: it is too short or too long.
    """
    if not isinstance(given, str) or not MIN_PASSWORD_LENGTH <= len(given) <= MAX_PASSWORD_LENGTH:
        raise BadRequestError(
            "The password must have at least %(count)s characters.", "password", count=MIN_PASSWORD_LENGTH
        )
    return given
