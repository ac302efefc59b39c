"""The activity log: who did what to rooms, recordings and accounts, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import delete, insert, select

from webapp.store import models
from webapp.store.records import AuditRecord
from webapp.store.repositories.base import Repository


class AuditRepository(Repository):
    """Entries are added and, when they are too old, deleted; nothing changes them."""

    def add_entries(self, entries: Sequence[AuditRecord]) -> None:
        """Keep entries."""
        with self._session() as session:
            session.execute(insert(models.AuditEntry), [asdict(entry) for entry in entries])

    def entries(self, before_ms: float, limit: int) -> list[AuditRecord]:
        """The last entries before a time, the newest first."""
        query = (
            select(models.AuditEntry)
            .where(models.AuditEntry.at_ms < before_ms)
            .order_by(models.AuditEntry.at_ms.desc(), models.AuditEntry.id.desc())
            .limit(limit)
        )
        with self._session() as session:
            return [_record_of(entry) for entry in session.scalars(query)]

    def delete_entries(self, before_ms: float) -> None:
        """Delete the entries from before a time."""
        with self._session() as session:
            session.execute(delete(models.AuditEntry).where(models.AuditEntry.at_ms < before_ms))


def _record_of(entry: models.AuditEntry) -> AuditRecord:
    return AuditRecord(entry.at_ms, entry.actor, entry.proof, entry.action, entry.subject)
