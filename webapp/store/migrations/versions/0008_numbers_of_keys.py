"""On SQLite never give the number of a deleted API key to another: 0004 made the table anew without that."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the table anew with AUTOINCREMENT."""
    if op.get_bind().dialect.name == "sqlite":
        with op.batch_alter_table("api_key", recreate="always", table_kwargs={"sqlite_autoincrement": True}):
            pass
