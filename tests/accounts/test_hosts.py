from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from itsdangerous import TimestampSigner

from tests.helpers.stores import LocalStore
from tests.helpers.waiting import wait_until
from webapp.accounts.first_access import FIRST_ACCESS_S
from webapp.accounts.scopes import SCOPES
from webapp.accounts.service import AccountService
from webapp.errors import BadRequestError, StoreError, TooManyAttemptsError
from webapp.export.store_process import Repositories
from webapp.store.repositories import accounts
from webapp.store.repositories.accounts import AccountRepository

PASSWORD = "correct horse battery"
TOKEN = "a-long-token-for-tests"
ADDRESS = "192.0.2.1"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LocalStore]:
    opened = Repositories(f"sqlite:///{tmp_path / 'test.sqlite'}")
    opened.database.prepare()
    yield LocalStore(opened)
    opened.close()


def proof_of(accounts: AccountService, token: str = TOKEN) -> str:
    proof = accounts.first_access.open(token, ADDRESS)
    assert proof is not None
    return proof


def test_the_number_of_a_deleted_host_is_given_to_nobody_else(store: LocalStore) -> None:
    accounts = AccountService(store, None)
    accounts.hosts.add("Ada", PASSWORD)
    removed = accounts.hosts.add("Bob", PASSWORD)
    accounts.hosts.remove(removed.id)
    assert accounts.hosts.add("Eve", PASSWORD).id > removed.id


def test_a_session_ends_with_its_stamp(store: LocalStore) -> None:
    accounts = AccountService(store, None)
    ada = accounts.hosts.add("Ada", PASSWORD)
    session = f"{ada.id}.{ada.stamp}"
    assert accounts.sessions.user(session) is not None
    assert accounts.sessions.user(str(ada.id)) is accounts.sessions.user(f"{ada.id}.") is None
    accounts.sessions.end_all(ada.id)
    assert accounts.sessions.user(session) is None
    assert AccountService(store, None).sessions.user(session) is None, "after a restart likewise"


def test_the_proof_of_first_access_is_worth_nothing_once_the_token_is_another(store: LocalStore) -> None:
    proof = proof_of(AccountService(store, TOKEN))
    assert AccountService(store, TOKEN).first_access.is_proof(proof)
    assert not AccountService(store, "another-token-for-tests").first_access.is_proof(proof)
    assert not AccountService(store, None).first_access.is_proof(proof)


def test_the_proof_of_first_access_makes_one_account(store: LocalStore) -> None:
    accounts = AccountService(store, TOKEN)
    proof = proof_of(accounts)
    accounts.hosts.add("Ada", PASSWORD)
    assert not accounts.first_access.is_proof(proof)
    assert accounts.first_access.is_proof(proof_of(accounts))


def test_the_proof_of_first_access_makes_one_account_of_many_that_are_asked_for_at_once(
    store: LocalStore,
) -> None:
    accounts = AccountService(store, TOKEN)
    proof = proof_of(accounts)
    with ThreadPoolExecutor(8) as threads:
        made = list(
            threads.map(
                lambda number: accounts.first_access.add_host(proof, f"Host {number}", PASSWORD), range(8)
            )
        )
    assert sum(record is not None for record in made) == 1


def test_the_proof_of_first_access_ends_with_time(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    accounts = AccountService(store, TOKEN)
    proof = proof_of(accounts)
    now_s = TimestampSigner("key").get_timestamp()
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _: now_s + FIRST_ACCESS_S + 1)
    assert not accounts.first_access.is_proof(proof)


def test_the_token_of_a_start_is_worth_nothing_once_there_is_an_account(store: LocalStore) -> None:
    accounts = AccountService(store, None)
    token = accounts.first_access.made_token()
    assert token is not None
    proof = proof_of(accounts, token)
    accounts.hosts.add("Ada", PASSWORD)
    assert accounts.first_access.made_token() is accounts.first_access.token() is None
    assert not accounts.first_access.is_proof(proof)
    assert accounts.first_access.open(token, ADDRESS) is None


def test_the_last_host_stays_also_when_two_are_removed_in_turn(store: LocalStore) -> None:
    accounts = AccountService(store, None)
    ada, bob = accounts.hosts.add("Ada", PASSWORD), accounts.hosts.add("Bob", PASSWORD)
    accounts.hosts.remove(ada.id)
    with pytest.raises(BadRequestError, match="last host"):
        accounts.hosts.remove(bob.id)


def test_a_key_proves_its_host_until_it_or_the_host_is_deleted(store: LocalStore) -> None:
    accounts = AccountService(store, None)
    ada, bob = accounts.hosts.add("Ada", PASSWORD), accounts.hosts.add("Bob", PASSWORD)
    secrets = [accounts.keys.add(ada.id, "one", SCOPES), accounts.keys.add(bob.id, "two", SCOPES)]
    users = [accounts.by_bearer(secret, ADDRESS) for secret in secrets]
    assert [user.name for user in users if user] == ["Ada", "Bob"]
    accounts.keys.delete(ada.id, accounts.keys.of(ada.id)[0].id)
    accounts.hosts.remove(bob.id)
    assert [accounts.by_bearer(secret, ADDRESS) for secret in secrets] == [None, None]
    assert [accounts.is_still_valid(user) for user in users if user] == [False, False]


def test_keys_are_found_after_a_restart(store: LocalStore) -> None:
    accounts = AccountService(store, None)
    secret = accounts.keys.add(accounts.hosts.add("Ada", PASSWORD).id, "one", SCOPES)
    user = AccountService(store, None).by_bearer(secret, ADDRESS)
    assert user is not None and user.name == "Ada"


def test_wrong_keys_and_tokens_are_limited_and_a_right_key_goes_on(store: LocalStore) -> None:
    accounts = AccountService(store, TOKEN)
    key = accounts.keys.add(accounts.hosts.add("Ada", PASSWORD).id, "one", SCOPES)
    for number in range(10):
        assert accounts.by_bearer(f"mien_{number}", ADDRESS) is None
    with pytest.raises(TooManyAttemptsError):
        accounts.by_bearer("guess", ADDRESS)
    with pytest.raises(TooManyAttemptsError):
        accounts.by_bearer(TOKEN, ADDRESS)
    assert accounts.by_bearer(key, ADDRESS) is not None
    assert accounts.by_bearer(TOKEN, "192.0.2.2") is not None


def test_a_password_is_counted_before_it_is_checked(store: LocalStore) -> None:
    accounts = AccountService(store, None)
    accounts.hosts.add("Ada", PASSWORD)
    checked: list[str] = []
    inner = store.call

    def call(method: Any, *arguments: Any) -> Any:
        if method is AccountRepository.check_password and len(checked) < 40:
            checked.append(arguments[1])
            with_the_next_already_there(f"guess {len(checked)}")
        return inner(method, *arguments)

    def with_the_next_already_there(password: str) -> None:
        try:
            accounts.hosts.by_password("Ada", password, ADDRESS)
        except TooManyAttemptsError:
            return

    store.call = call  # type: ignore[method-assign]
    with_the_next_already_there("guess 0")
    assert len(checked) == 10


def test_a_store_that_fails_a_change_is_asked_again_what_there_is(store: LocalStore) -> None:
    accounts = AccountService(store, None)
    accounts.hosts.add("Ada", PASSWORD)
    inner = store.call

    def late(method: Any, *arguments: Any) -> Any:
        result = inner(method, *arguments)
        if method is AccountRepository.add_host:
            raise StoreError("The database does not answer.")
        return result

    store.call = late  # type: ignore[method-assign]
    with pytest.raises(StoreError):
        accounts.hosts.add("Bob", PASSWORD)
    wait_until(lambda: [host.name for host in accounts.hosts.all()] == ["Ada", "Bob"])


@pytest.mark.parametrize("name", ["Ada", "nobody"])
def test_a_password_is_hashed_whether_or_not_there_is_such_a_host(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    store.archive.accounts.add_host("Ada", PASSWORD)
    hashed: list[str] = []

    def check(expected: str, password: str) -> bool:
        hashed.append(expected.split("$")[0])
        return False

    monkeypatch.setattr(accounts, "check_password_hash", check)
    assert store.archive.accounts.check_password(name, "guess") is None
    assert hashed == [accounts.no_password().split("$")[0]], "with the same method and cost"


def test_nobody_gets_in_by_an_empty_password(store: LocalStore) -> None:
    assert store.archive.accounts.check_password("nobody", "") is None


def test_a_token_that_is_set_works_while_the_store_does_not(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StoreError("The database does not answer.")

    monkeypatch.setattr(store, "call", fail)
    user = AccountService(store, TOKEN).by_bearer(TOKEN, ADDRESS)
    assert user is not None and user.proof == "token"
