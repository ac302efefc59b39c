"""A host, as a request or a connection shows who it acts for."""

from __future__ import annotations

from typing import Literal

from flask_login import UserMixin

from webapp.store.records import HostRecord, KeyRecord

Proof = Literal["session", "key", "token"]


class HostUser(UserMixin):  # type: ignore[misc]  # Flask-Login has no types
    """A host, and the `proof` that a request is theirs; `id` is None for whoever has the token."""

    def __init__(self, record: HostRecord | None, proof: Proof, key: KeyRecord | None = None) -> None:
        self.record = record
        self.proof = proof
        self.key = key
        self.id = record.id if record else None

    @property
    def name(self) -> str:
        """What the page calls them."""
        return self.record.name if self.record else "first host"

    def may(self, *scopes: str) -> bool:
        """Whether they may do what any of these scopes permits: a key only what its host chose for it."""
        return self.key is None or not set(scopes).isdisjoint(self.key.scopes)

    def get_id(self) -> str:
        """What a session carries: the host's number and the stamp of their sessions."""
        return f"{self.record.id}.{self.record.stamp}" if self.record else ""
