"""What the repositories share: the open database, and its transactions."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import sessionmaker

from webapp.store import models
from webapp.store.database import migrate, open_database
from webapp.store.wal import WalTruncation


class Database:
    """An open database; any thread may use it.

    `session()` begins a transaction, which the end of its `with` block commits. `wal` empties the write-ahead
    log after deletions.

    Raises:
        SettingsError: its URL cannot be used.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = open_database(url)
        self.session = sessionmaker(self.engine).begin
        self.wal = WalTruncation(self.engine)
        self._is_ready = False
        self._preparing = threading.Lock()

    def prepare(self) -> None:
        """Bring the tables up to date, once; every request begins with it."""
        if not self._is_ready:
            with self._preparing:
                if not self._is_ready:
                    migrate(self.engine)
                    self.wal.truncate()  # what was deleted before a crash may still be in it
                    self._is_ready = True

    def close(self) -> None:
        """Close all connections."""
        self.wal.close()
        self.engine.dispose()


class Repository:
    """Plain functions over the tables of one kind; what goes in and out are records.

    Any thread may call it: each call is a transaction of its own.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._session = database.session

    def _insert(self, model: type[models.Base], row: Mapping[str, Any]) -> None:
        with self._session() as session:
            session.execute(insert(model).values(row))
