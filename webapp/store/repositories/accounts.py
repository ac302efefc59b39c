"""Hosts, their passwords and their API keys."""

from __future__ import annotations

import functools
import secrets
import time

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from werkzeug.security import check_password_hash, generate_password_hash

from webapp.store import models
from webapp.store.records import HostRecord, KeyRecord
from webapp.store.repositories.base import Repository
from webapp.store.requests import PASSWORDS, in_lane

STAMP_BYTES = 24

CHANGES = "accounts"
"""The name of the count of changes; see `models.ChangeCount`."""


@functools.cache
def no_password() -> str:
    """The hash that is checked if there is no such host, so that this takes as long."""
    return generate_password_hash("")


class AccountRepository(Repository):
    """The accounts of hosts, and the keys of their programs."""

    def hosts(self) -> list[HostRecord]:
        """All hosts."""
        with self._session() as session:
            return [_host_of(host) for host in session.scalars(select(models.Host).order_by(models.Host.id))]

    @in_lane(PASSWORDS)
    def add_host(self, name: str, password: str) -> HostRecord | None:
        """A new host, or None if the name is taken."""
        host = models.Host(
            name=name,
            password_hash=generate_password_hash(password),  # before the session: it takes long
            created_ms=1000 * time.time(),
            stamp=new_stamp(),
        )
        try:
            with self._session() as session:
                session.add(host)
                session.flush()
                self._note_change(session)
                return _host_of(host)
        except IntegrityError:
            return None

    @in_lane(PASSWORDS)
    def set_password(self, host_id: int, password: str) -> HostRecord | None:
        """Give a host another password and stamp; None if there is no such host."""
        return self._update_host(host_id, password_hash=generate_password_hash(password))

    def renew_stamp(self, host_id: int) -> HostRecord | None:
        """Give a host another stamp, which ends their sessions; None if there is no such host."""
        return self._update_host(host_id)

    @in_lane(PASSWORDS)
    def check_password(self, name: str, password: str) -> HostRecord | None:
        """The host with this name and password, or None; takes as long if there is no such host."""
        with self._session() as session:
            host = session.scalar(select(models.Host).where(models.Host.name == name))
            expected, record = (host.password_hash, _host_of(host)) if host else (no_password(), None)
        is_right = check_password_hash(expected, password)
        return record if is_right else None

    def delete_host(self, host_id: int) -> bool:
        """Delete a host and their keys, but not the only one: then false. Rooms stay.

        Two nodes that delete one each wait for each other, or they could delete the last two.
        """
        with self._session() as session:
            all_hosts = select(models.Host.id).order_by(models.Host.id).with_for_update()
            if list(session.scalars(all_hosts)) == [host_id]:
                return False
            session.execute(delete(models.Host).where(models.Host.id == host_id))
            self._note_change(session)
        self._database.wal.truncate()
        return True

    def api_keys(self) -> list[KeyRecord]:
        """The API keys of all hosts."""
        with self._session() as session:
            return [_key_of(key) for key in session.scalars(select(models.ApiKey).order_by(models.ApiKey.id))]

    def add_key(self, host_id: int, name: str, secret_hash: str, scopes: tuple[str, ...]) -> KeyRecord:
        """Keep an API key."""
        with self._session() as session:
            key = models.ApiKey(
                host_id=host_id,
                name=name,
                secret_hash=secret_hash,
                created_ms=1000 * time.time(),
                scopes=list(scopes),
            )
            session.add(key)
            session.flush()
            self._note_change(session)
            return _key_of(key)

    def delete_key(self, host_id: int, key_id: int) -> None:
        """Delete one of a host's API keys."""
        with self._session() as session:
            session.execute(
                delete(models.ApiKey).where(models.ApiKey.id == key_id, models.ApiKey.host_id == host_id)
            )
            self._note_change(session)
        self._database.wal.truncate()

    def _note_change(self, session: Session) -> None:
        """Let other nodes know that they must read the accounts again, once this transaction is committed."""
        if session.get_bind().dialect.name == "postgresql":
            first = postgresql.insert(models.ChangeCount).values(name=CHANGES, value=1)
            more = {"value": models.ChangeCount.value + 1}
            session.execute(first.on_conflict_do_update(index_elements=["name"], set_=more))

    def _update_host(self, host_id: int, **values: str) -> HostRecord | None:
        with self._session() as session:
            host = session.get(models.Host, host_id)
            if host is None:
                return None
            for name, value in {**values, "stamp": new_stamp()}.items():
                setattr(host, name, value)
            session.flush()
            self._note_change(session)
            return _host_of(host)


def new_stamp() -> str:
    """The random text that a host's next sessions carry."""
    return secrets.token_urlsafe(STAMP_BYTES)


def _host_of(host: models.Host) -> HostRecord:
    return HostRecord(host.id, host.name, host.created_ms, host.stamp)


def _key_of(key: models.ApiKey) -> KeyRecord:
    return KeyRecord(key.id, key.host_id, key.name, key.secret_hash, key.created_ms, tuple(key.scopes))
